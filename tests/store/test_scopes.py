"""The scope of a suppression is never mistaken for another one, however long it is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from store.database import Database
from store.schema import suppressions
from store.suppressions import ACTIVE, Entry, lift_opt_out, suppress
from store.writes import select_in

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
ENTRY = Entry(
    account="main",
    address=b"\1" * 16,
    channel="sms",
    sender="",
    campaign="",
    purpose="all",
    cause="recipient_opted_out",
    rule="opt-out",
    origin="report",
    state=ACTIVE,
    since=NOW,
    until=None,
    evidence={},
)


@pytest.mark.parametrize("length", [10, 255, 270, 400])
@pytest.mark.parametrize("field", ["sender", "campaign"])
def test_two_long_scopes_that_differ_at_their_end_are_two_entries(database: Database, field: str, length: int) -> None:
    entries = [replace(ENTRY, **{field: "x" * length + end}) for end in "ab"]  # type: ignore[arg-type]
    with database.transaction() as connection:
        assert suppress(connection, entries, NOW, "test") == 2
        assert suppress(connection, entries, NOW, "test") == 0
        rows = select_in(connection, suppressions, "address", [ENTRY.address])
    assert len({row.scope for row in rows}) == 2
    assert max(len(row.scope) for row in rows) <= 300


def test_purposes_and_campaigns_behind_a_long_sender_are_kept_apart() -> None:
    long = replace(ENTRY, sender="x" * 300)
    scopes = {long.scope, replace(long, purpose="marketing").scope, replace(long, campaign="c").scope}
    assert len(scopes) == 3


def test_a_sender_cannot_pose_as_another_field() -> None:
    posing = replace(ENTRY, sender="a;campaign=b")
    assert posing.scope != replace(ENTRY, sender="a", campaign="b").scope
    assert posing.scope != replace(ENTRY, sender="a", campaign="b;campaign=").scope
    assert replace(ENTRY, sender="a;b").scope != replace(ENTRY, sender="a%3Bb").scope


def test_an_opt_in_lifts_an_opt_out_from_a_sender_of_any_length(database: Database) -> None:
    sender = "x" * 300
    with database.transaction() as connection:
        suppress(connection, [replace(ENTRY, sender=sender + end) for end in "ab"], NOW, "test")
        lifted = lift_opt_out(
            connection,
            "main",
            ENTRY.address,
            [ENTRY.cause],
            sender=sender + "a",
            channel="sms",
            at=NOW,
            now=NOW,
            reason="opted in again",
        )
    assert lifted == 1


def test_an_ordinary_scope_reads_as_it_is() -> None:
    assert replace(ENTRY, sender="Shop").scope == "channel=sms;sender=Shop;campaign=;purpose=all"
