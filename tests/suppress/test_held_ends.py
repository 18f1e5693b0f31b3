"""Whoever was told that a group is held hears that somebody decided on it, and who."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from policy import Mode
from store import guard_fold, guard_sweep, holds, trail
from store.schema import guard_holds, incident_events, incidents, suppression_audit, suppressions
from store.trail import Change
from tests.support.desk import Desk
from tests.support.dlr import Dlr
from tests.suppress.people import act, bounce, maintain, until_it_waits


@pytest.mark.parametrize(("word", "said"), [("release", "released"), ("drop", "dropped")])
def test_the_incident_ends_by_the_hand_of_who_decided_and_its_end_is_told(
    desk: Desk, dlr: Dlr, word: str, said: str
) -> None:
    act(desk)
    desk.handle(*[bounce(number) for number in range(60)], channel="email")
    maintain(desk)
    [hold] = desk.rows(guard_holds)
    dlr("suppress", "held", word, str(hold.id), "--who", "ada", "--yes")
    [incident] = desk.rows(incidents)
    assert (incident.state, incident.ended_by) == ("resolved", "ada")
    assert incident.resolved_at is not None
    last = desk.rows(incident_events)[-1]
    assert (last.change, last.who, last.spread) == ("resolved", "ada", 0)
    assert said in last.detail
    maintain(desk)
    assert [row.state for row in desk.rows(incidents)] == ["resolved"]


def states(desk: Desk) -> dict[str, int]:
    return dict(Counter(row.state for row in desk.rows(suppressions)))


class TestDecidingBeforeAnythingWasFolded:
    """The slice that saw the surge opens the group; the maintaining task comes up to a minute later."""

    @pytest.mark.parametrize("word", ["release", "drop"])
    def test_no_empty_group_follows_and_nobody_is_called_again(self, desk: Desk, dlr: Dlr, word: str) -> None:
        act(desk)
        desk.handle(*[bounce(number) for number in range(60)], channel="email")
        [hold] = desk.rows(guard_holds)
        dlr("suppress", "held", word, str(hold.id), "--who", "ada", "--yes")
        maintain(desk)
        maintain(desk)
        assert [row.id for row in desk.rows(guard_holds)] == [hold.id]
        assert [row.state for row in desk.rows(incidents) if row.state != "resolved"] == []

    @pytest.mark.parametrize(("word", "state"), [("release", "active"), ("drop", "dropped")])
    def test_it_holds_for_those_of_the_same_surge_who_came_before_it_showed(
        self, desk: Desk, dlr: Dlr, word: str, state: str
    ) -> None:
        act(desk)
        for part in range(6):
            desk.handle(*[bounce(10 * part + number) for number in range(10)], channel="email")
        [hold] = desk.rows(guard_holds)
        said = dlr("suppress", "held", word, str(hold.id), "--who", "ada", "--yes")
        assert said.startswith("60\t")
        maintain(desk)
        assert {(row.state, row.held_by) for row in desk.rows(suppressions)} == {(state, -1)}
        assert len(desk.rows(guard_holds)) == 1

    def test_an_outage_that_goes_on_after_it_was_dropped_is_held_anew(self, desk: Desk, dlr: Dlr) -> None:
        act(desk)
        desk.handle(*[bounce(number) for number in range(60)], channel="email")
        [first] = desk.rows(guard_holds)
        dlr("suppress", "held", "drop", str(first.id), "--who", "ada", "--yes")
        desk.handle(bounce(99, minute=1), channel="email")
        maintain(desk)
        [second] = [row for row in desk.rows(guard_holds) if row.is_open == 1]
        assert [row.held_by for row in desk.rows(suppressions) if row.state == "held"] == [second.id]


def _unswept(desk: Desk, hold: Any) -> list[guard_sweep.Surge]:
    """Return the surges that the sweep finds as long as the group is open."""
    with desk.database.reading() as connection:
        found = guard_sweep.surges(connection, {}, hold.dimension, desk.rules.limits, datetime.now(UTC))
    assert [one.hold for one in found] == [hold.id]
    return found


class TestSomebodyWhoDecidesMeanwhile:
    def test_what_is_held_after_its_group_was_decided_gets_what_was_decided(self, desk: Desk, dlr: Dlr) -> None:
        """A slice that has read the group writes its people after the last of them was settled."""
        act(desk)
        desk.handle(*[bounce(number) for number in range(61)], channel="email")
        maintain(desk)
        [hold] = desk.rows(guard_holds)
        dlr("suppress", "held", "release", str(hold.id), "--who", "ada", "--yes")
        late = desk.rows(suppressions)[0].id
        with desk.database.transaction() as connection:
            values = {"state": "held", "held_by": hold.id}
            connection.execute(update(suppressions).where(suppressions.c.id == late).values(**values))
        maintain(desk)
        assert states(desk) == {"active": 60, "held": 1}  # the command that decided may be at work still
        maintain(desk, datetime.now(UTC) + timedelta(minutes=6))
        [row] = [row for row in desk.rows(suppressions) if row.id == late]
        assert (row.state, row.held_by) == ("active", -1)
        assert [row.who for row in desk.rows(suppression_audit) if row.suppression_id == late][-1] == "ada"

    def test_a_sweep_takes_nobody_into_a_group_that_was_decided_before_it_came(self, desk: Desk, dlr: Dlr) -> None:
        act(desk)
        for part in range(6):
            desk.handle(*[bounce(10 * part + number) for number in range(10)], channel="email")
        [hold] = desk.rows(guard_holds)
        [surge], theirs = _unswept(desk, hold), [row.id for row in desk.rows(suppressions)]
        with desk.database.transaction() as connection:
            holds.decide(connection, hold.id, datetime.now(UTC), "ada", release=True)
            assert guard_sweep.hold(connection, surge, theirs, datetime.now(UTC)) == guard_sweep.CLOSED
        assert states(desk) == {"active": 50, "held": 10}

    def test_a_sweep_leaves_what_a_person_accepts_in_that_moment(self, desk: Desk) -> None:
        act(desk, Mode.PROPOSE)
        for part in range(6):
            desk.handle(*[bounce(10 * part + number) for number in range(10)], channel="email")
        [hold] = desk.rows(guard_holds)
        theirs = min(row.id for row in desk.rows(suppressions) if row.state == "proposed")
        [surge], now = _unswept(desk, hold), datetime.now(UTC)
        proposed = [row.id for row in desk.rows(suppressions) if row.state == "proposed"]
        sweeping = Thread(
            target=desk.database.repeat, args=(lambda connection: guard_sweep.hold(connection, surge, proposed, now),)
        )
        with desk.database.transaction() as connection:
            holds.answer(connection, [theirs], now, "ada", accept=True)
            sweeping.start()
            until_it_waits(desk)
        sweeping.join(30)
        states = {row.id: (row.state, row.held_by) for row in desk.rows(suppressions)}
        assert states.pop(theirs) == ("active", -1)
        assert set(states.values()) == {("held", hold.id)}

    def test_two_folds_at_once_tell_of_each_person_once(self, desk: Desk) -> None:
        act(desk)
        desk.handle(*[bounce(number) for number in range(60)], channel="email")
        now = datetime.now(UTC)

        def tell(connection: Connection) -> None:
            guard_fold.tell(connection, guard_fold.Folded(), now)

        second = Thread(target=desk.database.repeat, args=(tell,))
        with desk.database.transaction() as connection:
            tell(connection)
            second.start()
            until_it_waits(desk)
        second.join(30)
        desk.fold()
        rows: list[Any] = list(desk.rows(incidents))
        assert [row.count for row in rows] == [60]

    @pytest.mark.parametrize("grouped", [True, False])
    def test_a_delivery_in_that_moment_is_not_overruled_by_the_decision(self, desk: Desk, *, grouped: bool) -> None:
        act(desk, Mode.PROPOSE)
        desk.handle(*[bounce(number) for number in range(60 if grouped else 1)], channel="email")
        maintain(desk)
        theirs, now = desk.rows(suppressions)[0].id, datetime.now(UTC)

        def decide(connection: Connection) -> None:
            if grouped:
                [hold] = connection.execute(select(guard_holds)).all()
                holds.decide(connection, hold.id, now, "ada", release=True)
                holds.settle(connection, hold.id, now, "ada")
            else:
                holds.answer(connection, [theirs], now, "ada", accept=True)

        deciding = Thread(target=desk.database.repeat, args=(decide,))
        with desk.database.transaction() as connection:
            trail.change(connection, [Change(theirs, "lifted", "delivered", {"state": "lifted"})], now, "policy")
            deciding.start()
            until_it_waits(desk)
        deciding.join(30)
        assert {row.id: row.state for row in desk.rows(suppressions)}[theirs] == "lifted"
