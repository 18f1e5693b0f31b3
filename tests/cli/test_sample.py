"""Sample bodies are what Infobip would post, for every channel and every code of the tables."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from cli.bodies import FAMILIES as LOOKS
from cli.bodies import family_of
from cli.explain import explain
from cli.sample import _SHOWN_ON, sample, sample_body
from codes import CHANNELS, Row, shipped
from codes.channels import AUTO, UNKNOWN
from infobip.inbound import read

REAL = sorted(CHANNELS - {AUTO, UNKNOWN})
WITH_XML = [channel for channel in REAL if family_of(channel).root]
FAMILY = {
    "mms": "mms-legacy",
    "email": "email",
    "voice": "voice",
    "calls": "calls",
    "whatsapp": "whatsapp",
    "rcs": "rcs",
    "zalo": "zalo",
    "messages-api": "messages-api",
    "omni": "omni",
    "number-lookup": "number-lookup",
    "mobile-identity": "mobile-identity",
    "blocklist": "blocklist",
}


def printed(*words: str) -> str:
    result = CliRunner().invoke(sample, words)
    assert result.exit_code == 0, result.output
    return result.stdout


def explained(body: str, channel: str) -> dict[str, Any]:
    result = CliRunner().invoke(explain, ["--channel", channel, "--format", "json", "-"], input=body)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize("channel", REAL)
def test_a_sample_has_the_payload_family_of_its_channel_and_three_people(channel: str) -> None:
    reading = read(printed("--channel", channel, "--count", "3").encode(), "application/json", channel)
    assert reading.faults == ()
    assert {item.report.family for item in reading.items} == {FAMILY.get(channel, "unified")}
    assert len({item.report.message_id or item.report.event_id or str(item.report.raw) for item in reading.items}) == 3


@pytest.mark.parametrize("channel", WITH_XML)
def test_as_xml_it_tells_the_same(channel: str) -> None:
    body = printed("--channel", channel, "--count", "2", "--format", "xml")
    reading = read(body.encode(), "application/xml", channel)
    assert reading.faults == ()
    assert [item.report.family for item in reading.items] == [FAMILY.get(channel, "unified")] * 2


def test_every_look_of_a_report_belongs_to_a_channel() -> None:
    assert set(LOOKS) <= CHANNELS


def understood_as(row: Row) -> tuple[str, str, int] | None:
    """Return the code that a sample of a row is taken for when it comes in."""
    channel = _SHOWN_ON.get(row.family, "sms")
    code, status = (str(row.id), "") if row.kind == "error" else ("", str(row.id))
    body = sample_body(shipped(), channel, code, status)
    (item,) = read(body.encode(), "application/json", channel).items
    meaning = shipped().lookup(item.report.channel, item.report.status, item.report.error, item.report.smtp)
    found = (meaning.error if row.kind == "error" else meaning.status).row
    return None if found is None else found.key


def test_every_code_of_the_tables_is_understood_when_it_comes_in() -> None:
    assert [row.label for row in shipped().tables.rows if understood_as(row) != row.key] == []


def test_the_present_name_of_a_code_is_meant_before_the_older_name_of_another() -> None:
    """`REJECTED_DESTINATION` is status 52 now, and was once what 14 is called."""
    [item] = json.loads(printed("--channel", "sms", "--status", "REJECTED_DESTINATION"))["results"]
    assert item["status"]["id"] == 52
    rows = shipped().tables.rows
    older = {(row.kind, row.family, alias.casefold()) for row in rows for alias in row.aliases}
    told_apart = [row for row in rows if (row.kind, row.family, row.name.casefold()) in older]
    for row in told_apart:
        code, status = (row.name, "") if row.kind == "error" else ("", row.name)
        channel = _SHOWN_ON.get(row.family, "sms")
        [found] = read(sample_body(shipped(), channel, code, status).encode(), "application/json", channel).items
        assert row.id in {ref.id for ref in (found.report.status, found.report.error) if ref is not None}, row.label


def test_what_it_prints_is_understood_by_explain() -> None:
    answer = explained(printed("--code", "6003", "--count", "2"), "email")
    assert [item["matched"]["error"]["row"] for item in answer["items"]] == [
        row.label for row in shipped().tables.rows if row.family == "email" and row.kind == "error" and row.id == 6003
    ] * 2


def test_without_a_wish_it_is_a_failure_that_passes() -> None:
    (item,) = explained(printed(), "sms")["items"]
    assert (item["outcome"], item["cause"]) == ("failed", "recipient_unreachable")


def test_two_samples_are_about_different_messages() -> None:
    assert printed() != printed()


def test_its_people_are_fictional() -> None:
    for channel in REAL:
        for item in read(printed("--channel", channel, "--count", "3").encode(), "", channel).items:
            to = item.report.recipient
            assert not to.isdecimal() or to.startswith(("447700900", "5550001112223"))
            assert "@" not in to or to.endswith("@example.com")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--channel", "smss"), "Did you mean sms"),
        (("--code", "99999"), "hold no error 99999"),
        (("--code", "EC_ABSENT_SUBSCRIBR"), "EC_ABSENT_SUBSCRIBER"),
        (("--channel", "calls", "--format", "xml"), "JSON only"),
        (("--channel", "blocklist", "--code", "1"), "carries no error"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_with_the_next_step(words: tuple[str, ...], complaint: str) -> None:
    result = CliRunner().invoke(sample, words)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stdout == ""
