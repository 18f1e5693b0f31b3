"""`dlr explain` answers questions about codes and about bodies, however they are kept."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.support.dlr import Dlr, installed


@pytest.fixture
def dlr(tmp_path: Path) -> Dlr:
    """The commands of an installation that never ran: explaining needs no database."""
    return installed(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "state")


def explained(dlr: Dlr, *words: str) -> dict[str, Any]:
    (item,) = dlr.json("explain", *words)["items"]
    assert isinstance(item, dict)
    return item


@pytest.mark.parametrize("channel", ["sms", "auto", "email", "voice", "people", "messages-api"])
def test_an_error_alone_is_asked_about_beside_the_status_that_it_usually_comes_with(dlr: Dlr, channel: str) -> None:
    item = explained(dlr, "--channel", channel, "--error", "27")
    assert (item["event"], item["outcome"]) == ("delivery", "failed")
    assert item["cause"] == "recipient_unreachable"
    assert "UNDELIVERABLE_NOT_DELIVERED" in dlr.run("explain", "--channel", channel, "--error", "27").stderr


def test_an_error_of_one_family_only_is_found_without_the_channel(dlr: Dlr) -> None:
    assert explained(dlr, "--channel", "auto", "--error", "7002")["cause"] == "recipient_not_on_channel"


def test_an_error_that_no_table_has_is_unknown_and_harms_nobody(dlr: Dlr) -> None:
    item = explained(dlr, "--channel", "auto", "--error", "99999")
    assert (item["outcome"], item["cause"]) == ("failed", "unknown")
    assert [action["action"] for action in item["actions"]] == ["alert"]


def test_an_error_that_means_success_is_asked_about_beside_a_delivery(dlr: Dlr) -> None:
    assert explained(dlr, "--channel", "sms", "--error", "0")["outcome"] == "delivered"


def test_a_status_alone_is_asked_about_as_it_is(dlr: Dlr) -> None:
    result = dlr.run("explain", "--channel", "sms", "--status", "9")
    assert "no reason was given" in result.stdout
    assert result.stderr == ""


def test_a_body_packed_with_gzip_is_unpacked(dlr: Dlr, tmp_path: Path) -> None:
    body = dlr("sample", "--channel", "sms", "--code", "1").encode()
    file = tmp_path / "body.json.gz"
    file.write_bytes(gzip.compress(body))
    assert explained(dlr, "--channel", "sms", str(file))["cause"] == "recipient_unknown"
    file.write_bytes(gzip.compress(body)[:40])
    assert "only a part of a gzip file" in dlr.fails("explain", "--channel", "sms", str(file))


def test_a_packed_body_beyond_the_limit_is_refused(dlr: Dlr, tmp_path: Path) -> None:
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(b" " * (3 << 20)))
    assert "larger than 1 MiB" in dlr.fails("explain", "--channel", "sms", str(file), max_body_mb="1")


def test_a_tier_is_told_with_what_it_rests_on_and_what_comes_next(dlr: Dlr) -> None:
    asked = ("explain", "--channel", "sms", "--status", "9", "--error", "13")
    [item] = dlr.json(*asked)["items"]
    [action] = item["actions"]
    rests_on = action["rests_on"]
    assert (rests_on["tier"], rests_on["tiers"], rests_on["needed"], len(rests_on["at"])) == (1, 3, 1, 1)
    told = " ".join(dlr(*asked).split())
    assert "tier 1 of 3 by 1 such failure, and the next is for 60 days at the 2nd failure within 365 days" in told
