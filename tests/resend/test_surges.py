"""Too many failures for reasons that pass pause a scope; late, foreign, personal and lasting ones do not."""

from datetime import timedelta
from typing import Any

import pytest

from policy import Mode, Rules
from policy.opening import FIRST_DELAY
from store.schema import incidents, pause_deltas, pause_windows
from store.surges import forget
from tests.resend.test_pauses import BROKEN, NETWORK, fail_all, people
from tests.resend.world import World
from tests.support.desk import report

THROTTLED = 541


class TestASurge:
    def test_pauses_the_network_for_a_while_and_tells_once(self, world: World) -> None:
        fail_all(world, people(60))
        [started] = world.watch()

        assert (started.scope, started.who, started.step) == (NETWORK, "surge", 0)
        assert started.until is not None
        assert FIRST_DELAY - timedelta(minutes=1) < started.until - world.clock() <= FIRST_DELAY
        [incident] = told(world)
        assert incident.title == ("Resends are paused for network 23410: 60 of 60 messages failed within 10 minutes")
        fail_all(world, {f"n{name}": to for name, to in people(60).items()})
        assert world.watch() == []
        assert len(told(world)) == 1

    def test_adds_up_over_many_callbacks_and_folds(self, world: World) -> None:
        for number in range(5):
            fail_all(world, {f"{number}-{name}": to for name, to in people(12).items()})
            started = world.watch()
            assert bool(started) is (number == 4)

    @pytest.mark.parametrize(
        ("failed", "arrived", "pauses"), [(49, 0, False), (50, 0, True), (50, 116, True), (50, 117, False)]
    )
    def test_is_50_failures_and_30_of_a_hundred(self, world: World, failed: int, arrived: int, pauses: bool) -> None:
        fail_all(world, people(failed))
        world.hear(*(report(f"ok-{name}", to=to) for name, to in people(arrived).items()))

        assert bool(world.watch()) is pauses

    def test_what_is_about_single_people_is_none(self, world: World) -> None:
        world.hear(*(report(name, status=9, error=581, to=to) for name, to in people(60).items()))
        assert world.watch() == []

    def test_what_is_for_good_is_none(self, world: World) -> None:
        world.hear(*(report(name, status=9, error=1, to=to) for name, to in people(60).items()))
        assert world.watch() == []

    def test_what_is_not_final_counts_nowhere(self, world: World) -> None:
        world.hear(*(report(name, status=7, error=BROKEN, to=to) for name, to in people(60).items()))
        assert world.desk.rows(pause_deltas) == []

    def test_what_nobody_authenticated_counts_nowhere(self, world: World) -> None:
        for name, to in people(60).items():
            world.desk.post(report(name, status=9, error=BROKEN, to=to), trusted=False)
        world.desk.drain()
        assert world.desk.rows(pause_deltas) == []

    def test_of_last_night_pauses_nothing_today(self, world: World) -> None:
        for name, to in people(60).items():
            world.desk.post(report(name, status=9, error=BROKEN, to=to, minute=-600))
        world.desk.drain()
        assert world.desk.rows(pause_deltas) == []
        assert world.watch() == []

    def test_that_is_folded_late_pauses_nothing(self, world: World) -> None:
        fail_all(world, people(60))
        world.clock.pass_(minutes=15)
        assert world.watch() == []
        assert world.desk.rows(pause_deltas) == []

    def test_of_a_carrier_does_not_pause_the_sender_or_another_network(self, world: World) -> None:
        fail_all(world, people(60))
        world.hear(*(report(f"o-{name}", mccMnc="23430", to=to) for name, to in people(10).items()))
        assert [str(one.scope) for one in world.watch()] == ["network 23410"]

    def test_of_throttling_pauses_the_sender_and_not_the_network(self, world: World) -> None:
        fail_all(world, people(60), error=THROTTLED)
        world.watch()
        assert {one.scope.kind for one in world.pauses()} == {"sender", "brand"}

    def test_changes_nothing_while_nothing_is_sent_again(self, world: World) -> None:
        rules = world.desk.rules
        modes = {**rules.modes, "retry": Mode.OBSERVE}
        world.desk.rules = Rules(rules.rules, rules.version, modes, rules.limits, rules.purposes)
        fail_all(world, people(60))

        assert world.desk.rows(pause_deltas) == []
        assert world.watch() == []

    def test_that_is_over_and_holds_nobody_ends_with_its_incident(self, world: World) -> None:
        fail_all(world, people(60))
        world.watch()
        world.clock.pass_(hours=1, minutes=5)
        world.watch()
        assert len(world.pauses()) == 1

        world.clock.pass_(minutes=10)
        world.watch()

        assert world.pauses() == []
        assert [row.state for row in told(world)] == ["resolved"]
        assert world.desk.rows(pause_windows) == [] or {row.value for row in world.desk.rows(pause_windows)} != {
            "23410"
        }


def test_a_late_callback_about_a_limit_pauses_nothing_any_more(world: World) -> None:
    world.register()
    world.desk.handle(report(status=9, error=541, minute=0))
    assert world.pauses() == []

    world.register("m-2")
    world.fail("m-2", error=541)
    assert len(world.pauses()) == 1


def test_what_was_counted_is_kept_only_for_a_while(world: World) -> None:
    fail_all(world, people(3))
    world.watch()
    assert world.desk.rows(pause_windows) != []

    with world.desk.database.transaction() as connection:
        forget(connection, world.clock() + timedelta(minutes=1))

    assert world.desk.rows(pause_windows) == []


def told(world: World) -> list[Any]:
    """Return the incidents about pauses."""
    return [row for row in world.desk.rows(incidents) if row.rule == "resends-paused"]
