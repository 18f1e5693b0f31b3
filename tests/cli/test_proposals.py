"""One command answers all that waits for a person: suppressions and resends beside each other."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from policy import Mode
from policy.rules import Rules
from store.schema import retries, suppressions
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

OTHER = "447700900456"


@pytest.fixture(autouse=True)
def what_waits(desk: Desk) -> None:
    rules = desk.rules
    modes = {**rules.modes, "retry": Mode.PROPOSE, "suppress": Mode.PROPOSE}
    desk.rules = Rules(rules.rules, rules.version, modes, rules.limits, rules.purposes)
    desk.handle(report("m-1", 9, 27), report("m-2", 9, 27, to=OTHER), report("m-3", 9, 1))


def states(desk: Desk) -> list[str]:
    return sorted(row.state for row in desk.rows(retries))


def ids(dlr: Dlr, kind: str) -> list[str]:
    return [str(row["id"]) for row in dlr.json("proposals", "list") if row["kind"] == kind]


def test_both_kinds_are_listed_counted_and_told_apart(dlr: Dlr) -> None:
    lines = dlr.lines("proposals", "list")
    assert [line[2] for line in lines] == ["recipient_unknown", "resend", "resend"]
    assert sorted(line[3] for line in lines[1:]) == ["resend 1 of m-1 by sms", "resend 1 of m-2 by sms"]
    assert PERSON not in dlr("proposals", "list")
    assert [row["kind"] for row in dlr.json("proposals", "list")] == ["suppression", "resend", "resend"]
    assert dlr.lines("proposals", "list", "--counts") == [
        ["unknown-recipient", "recipient_unknown", "1"],
        ["unreachable", "resend", "2"],
    ]
    assert len(dlr.json("proposals", "list", "--limit", "2")) == 2


def test_an_accepted_resend_leaves_when_it_was_to(dlr: Dlr, desk: Desk) -> None:
    number, other = ids(dlr, "resend")
    due = {str(row.id): row.due_at for row in desk.rows(retries)}
    assert dlr("proposals", "accept", number, "--who", "ada") == f"Proposal {number} is accepted.\n"
    rows = {str(row.id): row for row in desk.rows(retries)}
    assert (rows[number].state, rows[number].mode, rows[number].note) == ("planned", "by_hand", "accepted by ada")
    assert rows[number].due_at == due[number]
    assert rows[other].state == "proposed"


def test_one_whose_time_is_over_already_is_due_now(dlr: Dlr, desk: Desk) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    with desk.database.transaction() as connection:
        connection.execute(update(retries).values(due_at=past))
    dlr("proposals", "accept", *ids(dlr, "resend"))
    assert all(row.due_at > past + timedelta(minutes=59) for row in desk.rows(retries))


def test_a_dropped_resend_is_cancelled(dlr: Dlr, desk: Desk) -> None:
    dlr("proposals", "drop", *ids(dlr, "resend"), "--who", "ada")
    assert states(desk) == ["cancelled", "cancelled"]
    assert {row.note for row in desk.rows(retries)} == {"dropped by ada"}


def test_ids_of_both_kinds_are_answered_together_and_a_wrong_one_is_named(dlr: Dlr, desk: Desk) -> None:
    every = [*ids(dlr, "suppression"), *ids(dlr, "resend")]
    assert "12345" in dlr.fails("proposals", "accept", *every, "12345")
    assert states(desk) == ["planned", "planned"]
    assert [row.state for row in desk.rows(suppressions)] == ["active"]


def test_all_or_all_of_a_rule_are_counted_and_answered(dlr: Dlr, desk: Desk) -> None:
    assert dlr.lines("proposals", "accept", "--rule", "unreachable", "--yes") == [
        ["2", "unreachable", "resend"],
        ["2 accepted."],
    ]
    assert states(desk) == ["planned", "planned"]
    assert dlr.lines("proposals", "drop", "--all", "--yes")[-1] == ["1 dropped."]
    assert dlr.json("proposals", "list") == []


def test_one_is_shown_as_its_own_command_shows_it(dlr: Dlr) -> None:
    [suppression], [resend, _] = ids(dlr, "suppression"), ids(dlr, "resend")
    assert dlr("proposals", "show", suppression) == dlr("suppress", "show", suppression)
    assert dlr.json("proposals", "show", resend)[0]["state"] == "proposed"
    assert "is not proposed" in dlr.fails("proposals", "show", "12345")


def test_resends_that_are_only_observed_are_no_proposals(dlr: Dlr, desk: Desk) -> None:
    with desk.database.transaction() as connection:
        connection.execute(update(retries).values(state="observed", mode="observe"))
    assert ids(dlr, "resend") == []
    dlr("proposals", "accept", "--all", "--yes")
    assert states(desk) == ["observed", "observed"]
