"""What people typed by hand names nobody who is forgotten, wherever it is kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from store import api_keys, by_hand, incident_silences, pauses, trail
from store.pauses import Scope
from store.schema import api_keys as key_table
from store.schema import (
    guard_holds,
    incident_events,
    incidents,
    lift_requests,
    metadata,
    protections,
    retries,
    suppression_audit,
    suppressions,
)
from store.schema import incident_silences as silence_table
from store.schema import pauses as pause_table
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

OTHER = "447700900456"
SPACED = "+44 7700 900123"
WORDS = f"{SPACED} rang us, and so did +{OTHER}"


@pytest.fixture
def told(desk: Desk) -> Desk:
    """A desk at which something of each kind names the person, all of it about others."""
    desk.handle(report("others-1", 9, 603, to=OTHER), report("others-2", 12, to=OTHER))
    desk.fold()
    now = datetime.now(UTC)
    with desk.database.transaction() as connection:
        [number] = connection.scalars(incidents.select().with_only_columns(incidents.c.id).limit(1)).all()
        by_hand.acknowledge(connection, number, f"ada for {SPACED}", now)
        by_hand.resolve(connection, number, SPACED, now, why=WORDS)
        span = {"since": now, "until": now + timedelta(hours=1)}
        scope = {"account": "", "cause": "account_funds", "rule": "", "facts": {}}
        incident_silences.make(connection, **scope, **span, why=WORDS, who=SPACED)  # type: ignore[arg-type]
        pauses.pause(connection, "main", Scope("sender", "Shop"), now, None, WORDS, SPACED)
        api_keys.make(connection, "main", f"of {SPACED}", ["proxy"], now)
    return desk


def texts_of(desk: Desk) -> list[str]:
    """Return every text that is kept in any table."""
    return [str(value) for table in metadata.sorted_tables for row in desk.rows(table) for value in row]


def test_what_was_typed_about_incidents_silences_pauses_and_keys_is_blanked(told: Desk, dlr: Dlr) -> None:
    assert any(SPACED in text for text in texts_of(told))
    out = dlr("forget", PERSON, "--yes")
    assert "texts typed by hand" in out
    assert not any(SPACED in text for text in texts_of(told))
    assert [row.detail for row in told.rows(incident_events) if row.change == "resolved"] == [""]
    [ended] = [row.ended_by for row in told.rows(incidents) if row.ended_by]
    assert ended == "forgotten", "an incident without a name ended by itself, and this one did not"
    assert [row.why for row in (*told.rows(silence_table), *told.rows(pause_table))] == ["", ""]
    assert [row.name for row in told.rows(key_table)] == ["forgotten"]


def test_what_names_nobody_of_that_address_stays_as_it_is(told: Desk, dlr: Dlr) -> None:
    before = [row.detail for row in told.rows(incident_events)]
    dlr("forget", "447700900124", "--yes")
    assert [row.detail for row in told.rows(incident_events)] == before
    assert WORDS in before


@pytest.mark.parametrize("address", ["ada@example.com", "U4af498062901"])
def test_addresses_that_are_no_numbers_are_found_too(desk: Desk, dlr: Dlr, address: str) -> None:
    with desk.database.transaction() as connection:
        api_keys.make(connection, "main", f"for <{address}>", ["proxy"], datetime.now(UTC))
    dlr("forget", address, "--yes")
    assert [row.name for row in desk.rows(key_table)] == ["forgotten"]


def test_notes_of_others_resends_and_reasons_of_their_protections_are_blanked(told: Desk, dlr: Dlr) -> None:
    told.handle(report("others-3", 9, 27, to=OTHER))
    dlr("suppress", "protect", OTHER, "--reason", WORDS)
    with told.database.transaction() as connection:
        connection.execute(update(retries).values(note=WORDS))
    dlr("forget", PERSON, "--yes")
    assert [row.note for row in told.rows(retries)] == [""]
    assert [row.reason for row in told.rows(protections)] == [""]
    assert [row.who for row in told.rows(guard_holds)] == []


def test_others_trails_are_cut_where_they_name_the_person_and_stay_whole(told: Desk, dlr: Dlr) -> None:
    [entry] = told.rows(suppressions)
    dlr("suppress", "lift", str(entry.id), "--reason", WORDS, "--who", "ada")
    dlr("suppress", "add", OTHER, "--reason", "asked us", "--who", "ada")
    dlr("forget", PERSON, "--yes")
    assert not any(SPACED in text for text in texts_of(told))
    changes = [(row.suppression_id == entry.id, row.change) for row in told.rows(suppression_audit)]
    assert changes == [(False, "suppressed"), (True, "trail cut")]
    with told.database.reading() as connection:
        assert trail.verify(connection, entry.id).problem == ""


def test_others_entries_keep_who_made_them_and_lose_a_reason_that_names_the_person(told: Desk, dlr: Dlr) -> None:
    dlr("suppress", "add", OTHER, "--reason", WORDS, "--who", "bob")
    dlr("forget", PERSON, "--yes")
    [added] = [row for row in told.rows(suppressions) if row.origin == "operator"]
    assert json.loads(added.evidence) == {"by": "bob", "reason": ""}
    assert added.state == "active"
    with told.database.reading() as connection:
        assert trail.verify(connection, added.id).problem == ""
    assert [row.change for row in told.rows(suppression_audit) if row.suppression_id == added.id] == [
        "suppressed",
        "evidence removed",
    ]


def test_what_was_asked_for_of_others_entries_is_blanked(told: Desk, dlr: Dlr) -> None:
    [entry] = told.rows(suppressions)
    dlr("suppress", "lift", str(entry.id), "--reason", WORDS, "--who", "ada", four_eyes="true")
    dlr("forget", PERSON, "--yes")
    [asked] = told.rows(lift_requests)
    assert (asked.reason, asked.who) == ("", "ada")
