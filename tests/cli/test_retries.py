"""What waits for whom, as `dlr retries` lists it, and steering beside workers that hold rows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from store.schema import retries
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

OTHER = "447700900456"


@pytest.fixture(autouse=True)
def _what_failed(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27))
    desk.handle(report("m-2", 9, 27, to=OTHER, mccMnc="26201"))


def rows(dlr: Dlr, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dlr.json("retries", "list", *words)
    return found


def id_of(dlr: Dlr, message: str) -> str:
    [row] = rows(dlr, "--message", message, "--all")
    return str(row["id"])


def put(desk: Desk, **values: Any) -> None:
    """Put every resend into a state, as a worker does."""
    with desk.database.transaction() as connection:
        connection.execute(update(retries).values(**values))


def states(desk: Desk) -> list[str]:
    return sorted(row.state for row in desk.rows(retries))


@contextmanager
def in_doubt(desk: Desk) -> Iterator[None]:
    put(desk, state="unknown", mode="act", due_at=None, new_id="m-1-r1", posts=1, note="a person has to decide")
    yield


def test_without_a_command_it_lists(dlr: Dlr) -> None:
    assert dlr("retries") == dlr("retries", "list")
    assert dlr.json("retries") == rows(dlr)
    assert dlr.lines("retries", "--message", "m-2") == dlr.lines("retries", "list", "--message", "m-2")


def test_it_says_for_whom_each_waits_until_when_and_why(dlr: Dlr) -> None:
    line = next(line for line in dlr.lines("retries") if line[2] == "m-1")
    assert line[1:4] == ["observed", "m-1", "…23"]
    assert line[7] == "a person"
    assert line[8].startswith("at most 20")
    assert "observe" in line[9]


@pytest.mark.parametrize(
    ("values", "whom", "why"),
    [
        ({"state": "proposed"}, "a person", "propose"),
        ({"state": "waiting", "note": "content not registered"}, "its application", "/api/v1/sends"),
        ({"state": "waiting", "note": "no credential for this account"}, "the operator", "dlr doctor"),
        ({"state": "waiting", "note": "nobody said what the message is for"}, "a person", "nobody said"),
        ({"state": "planned", "due_at": datetime.now(UTC) + timedelta(hours=1)}, "its time", ""),
        ({"state": "planned", "due_at": datetime.now(UTC) - timedelta(hours=1)}, "a worker", "no worker has taken it"),
        ({"state": "claimed"}, "a worker", "looked at"),
        ({"state": "unknown", "note": "in doubt"}, "Infobip's logs", "in doubt"),
        ({"state": "unknown", "due_at": None, "note": "a person has to decide"}, "a person", "has to decide"),
    ],
)
def test_every_state_waits_for_somebody(desk: Desk, dlr: Dlr, values: dict[str, Any], whom: str, why: str) -> None:
    put(desk, **values)
    row = rows(dlr)[0]
    assert row["waits_for"] == whom
    assert why in row["why"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("--recipient", f"+{OTHER}"), ["m-2"]),
        (("--message", "m-1"), ["m-1"]),
        (("--channel", "sms"), ["m-1", "m-2"]),
        (("--channel", "email"), []),
        (("--account", "main", "--rule", "unreachable"), ["m-1", "m-2"]),
        (("--rule", "barred"), []),
        (("--state", "observed", "--state", "planned"), ["m-1", "m-2"]),
        (("--state", "cancelled"), []),
    ],
)
def test_the_list_can_be_narrowed_down(dlr: Dlr, filters: tuple[str, ...], found: list[str]) -> None:
    assert sorted(row["message_id"] for row in rows(dlr, *filters)) == found


def test_addresses_may_come_on_standard_input_and_none_leaves(dlr: Dlr) -> None:
    result = dlr.run("retries", "list", "--recipient", "-", "--format", "json", answer=f"{OTHER}\n\n")
    assert [row["message_id"] for row in json.loads(result.stdout)] == ["m-2"]
    assert OTHER not in result.output
    assert "one a line" in dlr.fails("retries", "list", "--recipient", "-", code=2, answer="\n")


def test_a_mistyped_channel_is_refused(dlr: Dlr) -> None:
    assert "Did you mean sms" in dlr.fails("retries", "--channel", "smss", code=2)


def test_what_arrived_is_listed_only_among_all(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 5, minute=9))
    assert [row["message_id"] for row in rows(dlr)] == ["m-2"]
    [line] = dlr.lines("retries", "list", "--all", "--message", "m-1")
    assert line[1] == "cancelled"


def test_one_is_shown_with_every_question_by_its_id_and_by_its_messages(dlr: Dlr) -> None:
    text = dlr("retries", "show", id_of(dlr, "m-1"))
    assert text == dlr("retries", "show", "m-1")
    assert "attempt 1 of m-1 to …23" in text
    assert "content    not registered" in text
    assert "may the person be written to: yes" in text
    assert "are content and credential there: not before somebody acts: content not registered" in text
    assert PERSON not in text
    [told] = dlr.json("retries", "show", "m-1", "--reveal")
    assert told["recipient"] == PERSON
    assert [check["passes"] for check in told["checks"]].count(False) == 1
    assert told["id"] == id_of(dlr, "m-1")


def test_showing_changes_nothing(desk: Desk, dlr: Dlr) -> None:
    before = desk.rows(retries)
    dlr("retries", "show", "m-1")
    assert desk.rows(retries) == before


def test_what_there_is_not_is_said_so(dlr: Dlr) -> None:
    for command in ("show", "cancel", "run"):
        assert "There is no resend 'm-9'" in dlr.fails("retries", command, "m-9")
    assert json.loads(dlr.run("retries", "show", "m-9", "--format", "json").stdout)["error"]["code"] == "not_found"


def test_cancelling_asks_first_with_the_count(desk: Desk, dlr: Dlr) -> None:
    result = dlr.run("retries", "cancel", "--rule", "unreachable", answer="n\n")
    assert result.exit_code == 1
    assert "Cancel 2 resends to 2 people (2 observed)?" in result.stderr
    assert states(desk) == ["observed", "observed"]


def test_a_cancelled_one_tells_who_did_it_and_why(desk: Desk, dlr: Dlr) -> None:
    words = ("cancel", id_of(dlr, "m-1"), "--yes", "--reason", f"sent by hand to {PERSON}", "--who", "mia")
    result = dlr.run("retries", *words)
    assert result.stdout == "1 of 1 cancelled.\n"
    logged = json.loads(result.stderr)
    assert (logged["event"], logged["who"], logged["count"]) == ("resends_cancelled", "mia", 1)
    assert states(desk) == ["cancelled", "observed"]
    [row] = rows(dlr, "--message", "m-1", "--all")
    assert row["note"] == "cancelled by mia: sent by hand to …23"
    assert "mia" in dlr("message", "m-1")
    assert PERSON not in result.output


def test_without_a_name_the_systems_user_is_recorded(dlr: Dlr) -> None:
    dlr("retries", "cancel", "m-1", "--yes")
    [row] = rows(dlr, "--message", "m-1", "--all")
    assert row["note"].startswith("cancelled by ")
    assert row["note"] != "cancelled by "


@pytest.mark.parametrize("command", ["cancel", "run"])
@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_what_a_worker_holds_is_not_touched_and_said_so(desk: Desk, dlr: Dlr, command: str, state: str) -> None:
    put(desk, state=state, owner="worker", lease_until=datetime.now(UTC) + timedelta(minutes=1))
    before = desk.rows(retries)
    assert "a worker holds it at this moment" in dlr.fails("retries", command, "m-1", "--yes")
    assert desk.rows(retries) == before


@pytest.mark.parametrize("words", [("cancel", "m-1", "--yes"), ("run", "m-1", "--not-in-portal")])
def test_what_a_worker_looks_up_is_not_touched_and_said_so(desk: Desk, dlr: Dlr, words: tuple[str, ...]) -> None:
    with in_doubt(desk):
        put(desk, owner="worker", lease_until=datetime.now(UTC) + timedelta(minutes=1))
    before = desk.rows(retries)
    assert "a worker holds it at this moment" in dlr.fails("retries", *words)
    assert desk.rows(retries) == before


def test_what_is_over_cannot_be_cancelled_or_run(desk: Desk, dlr: Dlr) -> None:
    put(desk, state="accepted")
    assert "it is accepted already" in dlr.fails("retries", "cancel", "m-1", "--yes")
    assert "it is accepted already" in dlr.fails("retries", "run", "m-1", "--yes")
    assert states(desk) == ["accepted", "accepted"]


def test_one_of_these_has_to_be_named(dlr: Dlr) -> None:
    assert "Say which" in dlr.fails("retries", "cancel", "--yes", code=2)
    assert "Say which" in dlr.fails("retries", "run", "m-1", "--rule", "unreachable", code=2)


def test_nothing_that_fits_is_an_answer(dlr: Dlr) -> None:
    assert dlr("retries", "cancel", "--rule", "barred", "--yes") == "0 of 0 cancelled.\n"


def test_running_makes_due_and_lets_it_act(desk: Desk, dlr: Dlr) -> None:
    text = dlr("retries", "run", "m-1", "--yes", "--who", "mia")
    assert "1 of 1 made due." in text
    assert "it waits until somebody acts: content not registered" in text
    row = next(row for row in desk.rows(retries) if row.state == "planned")
    assert (row.mode, row.note) == ("by_hand", "made due by mia")
    assert row.due_at <= datetime.now(UTC)


def test_one_in_doubt_is_posted_again_only_after_a_look_into_the_portal(desk: Desk, dlr: Dlr) -> None:
    with in_doubt(desk):
        assert "left in doubt" in dlr.fails("retries", "run", "m-1", answer="n\n")
    assert states(desk) == ["unknown", "unknown"]
    dlr("retries", "run", "m-1", "--yes", answer="y\n")
    assert states(desk) == ["planned", "unknown"]
    [row] = [row for row in desk.rows(retries) if row.state == "planned"]
    assert (row.new_id, row.posts, row.mode) == ("m-1-r1", 1, "by_hand")


def test_yes_alone_is_no_word_about_the_portal(desk: Desk, dlr: Dlr) -> None:
    with in_doubt(desk):
        dlr.fails("retries", "run", "m-1", "--yes")
    assert states(desk) == ["unknown", "unknown"]


def test_a_filter_runs_nothing_that_is_in_doubt(desk: Desk, dlr: Dlr) -> None:
    with in_doubt(desk):
        assert dlr("retries", "run", "--rule", "unreachable", "--not-in-portal", "--yes") == "0 of 0 made due.\n"
        assert "named by its own id" in dlr.fails("retries", "run", "--state", "unknown", "--not-in-portal", "--yes")
    assert states(desk) == ["unknown", "unknown"]


def test_one_in_doubt_can_be_left_as_it_is(desk: Desk, dlr: Dlr) -> None:
    with in_doubt(desk):
        dlr("retries", "cancel", "m-1", "--yes")
    assert states(desk) == ["cancelled", "unknown"]


def test_the_switch_says_what_it_holds_and_stands_above_the_list(desk: Desk, dlr: Dlr) -> None:
    put(desk, state="planned", mode="act", due_at=datetime.now(UTC) + timedelta(minutes=5))
    said = dlr("retries", "pause", "--reason", "all wrong", "--who", "mia")
    assert "all resends are stopped, until `dlr retries resume`. 2 planned resends are held (2 due within" in said
    listing = dlr.run("retries", "list")
    assert "Paused: all resends are stopped" in listing.stderr
    assert "all wrong" in listing.stderr
    row = rows(dlr)[0]
    assert (row["waits_for"], row["until"]) == ("a person", None)
    assert "all wrong (mia)" in row["why"]
    [pause] = dlr.json("retries", "pauses")
    assert (pause["scope"], pause["account"], pause["holds"], pause["by"]) == ("all", "", 2, "mia")
    resumed = dlr("retries", "resume")
    assert resumed.startswith("Resumed: the stop of all resends is lifted. 2 planned resends are released")
    assert dlr.json("retries", "pauses") == []
    assert "Nothing was paused there" in dlr.fails("retries", "resume")


@pytest.mark.parametrize(
    ("words", "held"),
    [
        (("--scope", "network=26201"), 1),
        (("--scope", "sender=Shop"), 2),
        (("--scope", "brand=Shop 23410"), 1),
        (("--scope", "domain=example.com"), 0),
        (("--account", "main"), 2),
        (("--scope", "account=main"), 2),
    ],
)
def test_a_pause_of_a_scope_holds_what_belongs_to_it(desk: Desk, dlr: Dlr, words: tuple[str, ...], held: int) -> None:
    put(desk, state="planned", mode="act", due_at=datetime.now(UTC))
    dlr("retries", "pause", *words, "--for", "2h", "--reason", "outage")
    [pause] = dlr.json("retries", "pauses")
    assert pause["holds"] == held
    assert sum(row["waits_for"] == "the end of a pause" for row in rows(dlr)) == held
    number = {0: "0 planned resends are", 1: "1 planned resend is", 2: "2 planned resends are"}[held]
    assert f"{number} released" in dlr("retries", "resume", *words)


def test_resuming_says_what_another_pause_still_holds(desk: Desk, dlr: Dlr) -> None:
    put(desk, state="planned", mode="act", due_at=datetime.now(UTC))
    dlr("retries", "pause", "--scope", "network=26201", "--reason", "outage")
    dlr("retries", "pause", "--reason", "all wrong")
    result = dlr.run("retries", "resume")
    assert "1 planned resend is released" in result.stdout
    assert "1 more is held by other pauses" in result.stderr


def test_a_pause_is_never_shortened_and_that_is_said(dlr: Dlr) -> None:
    dlr("retries", "pause", "--reason", "all wrong")
    result = dlr.run("retries", "pause", "--for", "1h", "--reason", "all wrong")
    assert "until `dlr retries resume`" in result.stdout
    assert "for longer already" in result.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--reason", " "), "Say why"),
        (("--reason", "x", "--scope", "carrier=1"), "is no scope"),
        (("--reason", "x", "--scope", "network="), "is no scope"),
        (("--reason", "x", "--for", "soon"), "is not a duration"),
        (("--reason", "x", "--for", "0h"), "holds nothing"),
        (("--reason", "x", "--account", "nobody"), "There is no account 'nobody'"),
    ],
)
def test_a_pause_that_would_hold_nothing_is_refused(dlr: Dlr, words: tuple[str, ...], why: str) -> None:
    assert why in dlr.fails("retries", "pause", *words, code=2)
    assert dlr.json("retries", "pauses") == []


def test_the_message_tells_the_same_of_its_resends(desk: Desk, dlr: Dlr) -> None:
    put(desk, state="planned", mode="act", due_at=datetime.now(UTC) + timedelta(minutes=5))
    dlr("retries", "pause", "--reason", "all wrong", "--who", "mia")
    line = dlr.lines("message", "m-1")[-1]
    assert line[1] == "resend"
    assert "it waits for a person" in line[2]
    assert "all wrong (mia)" in line[3]
    [resend] = dlr.json("message", "m-1")["messages"][0]["resends"]
    [row] = rows(dlr, "--message", "m-1")
    assert (resend["id"], resend["waits_for"], resend["why"]) == (row["id"], row["waits_for"], row["why"])


@pytest.mark.parametrize(
    ("state", "word"),
    [("accepted", "left, and Infobip has it"), ("refused", "was refused"), ("unknown", "nobody knows yet")],
)
def test_the_message_tells_in_words_what_became_of_its_resends(desk: Desk, dlr: Dlr, state: str, word: str) -> None:
    put(desk, state=state)
    assert word in dlr.lines("message", "m-1")[-1][2]


def test_an_incident_of_our_own_making_names_the_next_command(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-3", 12))
    desk.fold()
    [row] = dlr.json("incidents", "list")
    assert "`dlr retries from-incident ID`" in row["next_step"]
