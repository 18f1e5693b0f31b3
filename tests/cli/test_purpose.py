"""What a message is taken to be for, and who says so."""

from pathlib import Path

import pytest

from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[purposes]\nsender = {"News" = "marketing"}\ndefault = {"*" = "transactional"}\n')
    return str(file)


def test_where_nobody_said_so_it_is_what_the_policy_says(desk: Desk, dlr: Dlr, policy: str) -> None:
    desk.handle(report("m-1", 9, 27), report("m-2", 9, 27, sender="News"))
    shown = [dlr.json("message", name, policy=policy)["messages"][0] for name in ("m-1", "m-2")]
    assert [(one["purpose"], one["purpose_from"]) for one in shown] == [
        ("transactional", "by the policy's default"),
        ("marketing", "by the policy, for the sender News"),
    ]


def test_without_a_policy_of_ones_own_it_is_undeclared(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 27))
    [one] = dlr.json("message", "m-1")["messages"]
    assert (one["purpose"], one["purpose_from"]) == ("undeclared", "nobody said so")


def test_a_broken_policy_is_no_reason_not_to_show_it(desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
    desk.handle(report("m-1", 9, 27))
    file = tmp_path / "broken.toml"
    file.write_text("version = [")
    [one] = dlr.json("message", "m-1", policy=str(file))["messages"]
    assert one["purpose"] == "undeclared"


def test_the_check_of_a_suppression_asks_the_policys_default_too(desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
    dlr("suppress", "add", PERSON, "--channel", "sms", "--purpose", "marketing")
    found = []
    for number, default in enumerate(('"*" = "marketing"', 'main = "transactional"', 'other = "marketing"')):
        file = tmp_path / f"{number}.toml"
        file.write_text(f'version = 1\n[purposes]\nsender = {{"Open" = "undeclared"}}\ndefault = {{{default}}}\n')
        check = ("suppress", "check", PERSON, "--channel", "sms")
        found.append([dlr.lines(*check, *more, policy=str(file))[0][1] for more in ((), ("--sender", "Open"))])
    flagged = "passes, flagged: no marketing"
    assert found == [["blocked", flagged], ["passes", flagged], [flagged, flagged]]
