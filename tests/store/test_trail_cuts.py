"""What led to a lift is deleted some years after it, and the chain of what is left stays whole and says so."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from store import ids, lifting, suppressions, trail, trail_cuts
from store.database import Database
from store.moments import to_ms
from store.schema import lift_requests, suppression_audit
from store.schema import suppressions as table
from store.schema import trail_cuts as cuts
from store.suppressions import Entry
from store.vault import Vault
from tests.support.dlr import Dlr, installed

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
LONG_AGO = NOW - 6 * YEAR
BEFORE = NOW - 5 * YEAR


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let ids be made at a moment, as they were then."""

    def then(moment: datetime) -> datetime:
        monkeypatch.setattr(time, "time_ns", lambda: to_ms(moment) * 1_000_000)
        monkeypatch.setattr(ids, "_last", 0)
        return moment

    return then


def opt_out(address: bytes, since: datetime) -> Entry:
    said = {"report": "7", "reason": "they wrote STOP"}
    names = ("main", address, "sms", "Shop", "", "all", "recipient_opted_out", "opted-out", "unsubscribe", "active")
    return Entry(*names, since, None, said)


def suppress(database: Database, moment: datetime, number: int = 1) -> int:
    with database.transaction() as connection:
        suppressions.suppress(connection, [opt_out(bytes([number]) * 16, moment)], moment, "policy")
        return int(connection.scalar(select(table.c.id).where(table.c.address == bytes([number]) * 16)) or 0)


def lift(database: Database, number: int, moment: datetime) -> None:
    with database.transaction() as connection:
        suppressions.lift(connection, [(number, moment)], moment, "ada", "wrote to support")


def verified(database: Database, number: int) -> trail.Verdict:
    with database.reading() as connection:
        return trail.verify(connection, number)


def changes(database: Database, number: int) -> list[str]:
    with database.reading() as connection:
        return [row.change for row in trail.in_order(connection, number)]


def test_an_old_lift_and_what_led_to_it_go_and_the_chain_tells_of_it(database: Database, at: Any) -> None:
    number = suppress(database, at(LONG_AGO))
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    head = verified(database, number).head
    with database.transaction() as connection:
        request = {"id": 1, "suppression_id": number, "asked_at": LONG_AGO, "who": "ada", "reason": "r"}
        decided = {"state": "approved", "is_open": 1, "decided_at": LONG_AGO, "decided_by": "ben"}
        connection.execute(insert(lift_requests).values(**request, **decided))
    at(NOW)
    assert trail_cuts.cut(database, BEFORE, NOW) == 2
    verdict = verified(database, number)
    assert (verdict.problem, verdict.rows, verdict.cut) == ("", 1, 2)
    assert verdict.cut_until == LONG_AGO.replace(microsecond=LONG_AGO.microsecond // 1000 * 1000) + timedelta(days=1)
    assert changes(database, number) == ["trail cut"]
    with database.reading() as connection:
        [row] = connection.execute(select(suppression_audit)).all()
        [entry] = connection.execute(select(table)).all()
        assert connection.execute(select(lift_requests)).all() == []
    assert (row.who, row.detail.endswith(head.hex())) == ("retention", True)
    assert (entry.state, entry.evidence) == ("lifted", "{}")
    assert trail_cuts.cut(database, BEFORE, NOW) == 0


def test_what_stands_or_was_lifted_lately_stays_however_old(database: Database, at: Any) -> None:
    standing = suppress(database, at(LONG_AGO), 1)
    lately = suppress(database, at(LONG_AGO), 2)
    lift(database, lately, at(BEFORE + timedelta(minutes=1)))
    at(NOW)
    assert trail_cuts.cut(database, BEFORE, NOW) == 0
    assert (verified(database, standing).rows, verified(database, lately).rows) == (1, 2)


def test_an_entry_that_was_renewed_keeps_what_followed_the_lift_and_its_evidence(database: Database, at: Any) -> None:
    number = suppress(database, at(LONG_AGO))
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    suppress(database, at(LONG_AGO + timedelta(days=30)))
    at(NOW)
    assert trail_cuts.cut(database, BEFORE, NOW) == 2
    assert changes(database, number) == ["renewed", "trail cut"]
    assert verified(database, number).problem == ""
    with database.reading() as connection:
        assert "STOP" in connection.execute(select(table.c.evidence)).scalar_one()


def test_it_is_cut_again_and_counts_on(database: Database, at: Any) -> None:
    number = suppress(database, at(LONG_AGO))
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    trail_cuts.cut(database, BEFORE, at(NOW - YEAR / 2))
    suppress(database, at(NOW - YEAR / 3))
    lift(database, number, at(NOW - YEAR / 4))
    assert trail_cuts.cut(database, NOW - YEAR / 5, at(NOW)) == 3
    verdict = verified(database, number)
    assert (verdict.problem, verdict.rows, verdict.cut) == ("", 1, 5)
    lift_again = suppressions.lift
    with database.transaction() as connection:
        lift_again(connection, [(number, NOW)], NOW, "ada", "again")
    assert verified(database, number).problem == ""


def test_the_evidence_of_an_entry_that_was_renewed_and_lifted_again_goes_with_the_second_lift(
    database: Database, at: Any
) -> None:
    number = suppress(database, at(LONG_AGO))
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    suppress(database, at(NOW - 2 * YEAR))
    lift(database, number, at(NOW - YEAR))
    assert trail_cuts.cut(database, BEFORE, at(NOW - YEAR / 2)) == 2
    assert trail_cuts.cut(database, NOW - YEAR / 3, at(NOW)) == 2
    assert changes(database, number) == ["trail cut", "trail cut"]
    assert (verified(database, number).problem, verified(database, number).cut) == ("", 4)
    with database.reading() as connection:
        assert connection.execute(select(table.c.evidence)).scalar_one() == "{}"


@pytest.mark.parametrize("harm", ["head", "row", "note", "gone"])
def test_a_cut_hides_no_tampering(database: Database, at: Any, harm: str) -> None:
    number = suppress(database, at(LONG_AGO))
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    suppress(database, at(LONG_AGO + timedelta(days=30)))
    trail_cuts.cut(database, BEFORE, at(NOW))
    with database.transaction() as connection:
        match harm:
            case "head":
                connection.execute(update(cuts).values(head=bytes(32)))
            case "row":
                connection.execute(delete(suppression_audit).where(suppression_audit.c.change == "renewed"))
            case "note":
                connection.execute(delete(suppression_audit).where(suppression_audit.c.change == "trail cut"))
            case "gone":
                connection.execute(delete(cuts))
    assert verified(database, number).problem


def test_a_trail_that_is_broken_is_never_cut(database: Database, at: Any) -> None:
    number = suppress(database, at(LONG_AGO))
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    with database.transaction() as connection:
        connection.execute(update(suppression_audit).values(who="mallory"))
    at(NOW)
    assert trail_cuts.cut(database, BEFORE, NOW) == 0
    assert verified(database, number).rows == 2


def test_the_commands_say_what_was_deleted_and_that_the_chain_is_whole(
    database: Database, database_url: str, vault: Vault, tmp_path: Path, at: Any
) -> None:
    dlr: Dlr = installed(database_url, tmp_path / "state")
    person = "447700900123"
    with database.transaction() as connection:
        entry = opt_out(vault.hash_address("main", person), LONG_AGO)
        suppressions.suppress(connection, [entry], at(LONG_AGO), "policy")
        number = connection.scalar(select(table.c.id))
    assert number is not None
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    trail_cuts.cut(database, BEFORE, at(NOW))
    told = dlr("suppress", "audit", str(number))
    assert "2 earlier changes until" in told
    assert "The chain of 1 change is whole" in told
    pack = dlr.json("evidence", person)
    assert pack["trails_whole"] is True
    assert pack["suppressions"][0]["trail"]["cut"] == 2
    assert "2 earlier changes until" in dlr("evidence", person)
    assert {row["what"]: row["days"] for row in pack["retention"]}["what led to a lift, and requests for it"] == 1826


def test_lifting_by_hand_goes_on_after_a_cut(database: Database, at: Any) -> None:
    number = suppress(database, at(LONG_AGO))
    lift(database, number, at(LONG_AGO + timedelta(days=1)))
    suppress(database, at(LONG_AGO + timedelta(days=30)))
    trail_cuts.cut(database, BEFORE, at(NOW))
    with database.transaction() as connection:
        lifting.by_hand(connection, number, NOW, "ada", "wrote to us", four_eyes=False)
    assert changes(database, number) == ["renewed", "trail cut", "lifted"]
    assert verified(database, number).problem == ""
