"""The text for Infobip's support: what they ask for first, and nobody's address."""

import pytest

from store.schema import incidents
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr


@pytest.fixture
def told(desk: Desk, dlr: Dlr) -> list[str]:
    """One sender that may not send in one network, beside another network and one delivery."""
    desk.handle(*(report(f"m-{number}", 9, 368, minute=number) for number in range(3)))
    desk.handle(report("m-7", 5, minute=7), report("m-8", 9, 368, minute=8, mccMnc="26201"))
    desk.fold()
    row = next(row for row in desk.rows(incidents) if "23410" in row.facts and row.cause)
    return dlr("incidents", "show", str(row.id), "--support").splitlines()


def test_it_begins_with_one_sentence_that_says_what_fails(told: list[str]) -> None:
    assert told[0].startswith("Messages of our account fail because ")
    assert told[0].count("fail") == 1


def test_it_says_when_how_often_and_with_which_codes(told: list[str]) -> None:
    assert told[1] == "First 2026-03-09 10:00:00Z, last 2026-03-09 10:02:00Z (UTC), 3 reports."
    assert told[2].startswith("Codes (")
    assert told[3] == "  9, 368: 100 % of 3"


def test_it_names_messages_of_that_network_alone_and_no_person(told: list[str]) -> None:
    text = "\n".join(told)
    for name in ("m-0", "m-1", "m-2", "23410", "Shop"):
        assert name in text
    for name in ("m-7", "m-8", "26201", PERSON):
        assert name not in text
    assert told[-1].startswith("Please tell us why")


def test_one_report_is_one(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 368))
    desk.fold()
    (row,) = [row for row in desk.rows(incidents) if row.cause]
    assert "1 report." in dlr("incidents", "show", str(row.id), "--support")


def test_what_is_not_about_messages_has_none(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 5), channel="auto")
    desk.fold()
    (row,) = [row for row in desk.rows(incidents) if row.rule == "no-channel"]
    assert "nothing to ask Infobip about" in dlr("incidents", "show", str(row.id), "--support")
