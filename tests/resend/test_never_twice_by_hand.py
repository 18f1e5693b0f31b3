"""Nor does any interleaving with what people and the policy change meanwhile, or with a worker that stands still."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from policy import Mode
from store import proposed_resends, steering
from store.database import Database
from store.pauses import ALL, Scope, lift, pause
from store.resending import BY_HAND, UNKNOWN
from store.vault import Vault
from tests.resend.test_never_twice import _FAULTS, _PLAIN, _UNBOUNDED, Interleavings
from tests.resend.world import Unlimited, turned, world
from workers.actions.resend.resender import Resender


class _StandsStill(Resender):
    """A worker whose process stands still for a while right before its request leaves, or right after the answer."""

    before: Callable[[], None]
    after: Callable[[], None]

    def _post(self, ready: Any) -> Any:
        self.before()
        result = super()._post(ready)
        self.after()
        return result


def nothing() -> None:
    """Stand still for no time."""


class Steered(Interleavings):
    """One message whose resends people, the policy and the switch move beside the workers."""

    @initialize()
    def all_acts(self) -> None:
        self.the_mode_is(Mode.ACT)
        self.the_switch(stopped=False)

    def _mine(self) -> list[Any]:
        return [row for row in self.made.rows() if row.message_key == self.key]

    def _change(self, work: Callable[..., object], *more: Any, **named: Any) -> None:
        numbers = [row.id for row in self._mine()]
        with self.made.desk.database.transaction() as connection:
            work(connection, numbers, self.made.clock(), *more, **named)

    @rule(mode=st.sampled_from(Mode))
    def the_mode_is(self, mode: Mode) -> None:
        self.made.desk.rules.modes = {**self.made.desk.rules.modes, "retry": mode}

    @rule(stopped=st.booleans())
    def the_switch(self, *, stopped: bool) -> None:
        self.stopped, scope = stopped, Scope(ALL)
        with self.made.desk.database.transaction() as connection:
            if stopped:
                pause(connection, "", scope, self.made.clock(), None, "a person stopped it", "test")
            else:
                lift(connection, "", scope)
                steering.release(connection, "", scope, self.made.clock())

    @rule()
    def a_person_lets_it_go(self) -> None:
        self._change(steering.start, "by a person")

    @rule(accept=st.booleans())
    def a_person_answers(self, *, accept: bool) -> None:
        self._change(proposed_resends.answer, "ada", accept=accept)

    @rule()
    def a_person_cancels(self) -> None:
        self._change(steering.cancel, "by a person")

    @rule()
    def a_person_has_looked_it_up(self) -> None:
        for row in self._mine():
            if row.state == UNKNOWN and not self.made.infobip.times_accepted(row.new_id):
                with self.made.desk.database.transaction() as connection:
                    steering.post_again(connection, row.id, self.made.clock(), "it is not there")

    def _meanwhile(self, seconds: int, step: str, mode: Mode) -> None:
        """Let other workers and people go on while one stands still."""
        self.made.clock.pass_(seconds=seconds)
        match step:
            case "another worker":
                self.made.resender("another").run(lambda: False)
            case "a person":
                self.a_person_lets_it_go()
                self.made.resender("another").run(lambda: False)
            case "a cancellation":
                self.a_person_cancels()
            case _:
                self.the_mode_is(mode)
                self.made.resender("another").run(lambda: False)

    @rule(
        seconds=st.sampled_from([5, 80, 100]),
        early=st.booleans(),
        step=st.sampled_from(["another worker", "a person", "a cancellation", "the mode"]),
        mode=st.sampled_from(Mode),
        fault=st.sampled_from(sorted(_FAULTS)),
    )
    def a_worker_stands_still(self, seconds: int, *, early: bool, step: str, mode: Mode, fault: str) -> None:
        found = _FAULTS[fault]
        rules = [{"name": fault, "match": {"recipient": self.person}, "fault": found}] if found else []
        self.made.infobip.load({**_PLAIN, "rule": rules})
        self.made.clock.pass_(minutes=16)
        worker = turned(self.made.resender("slow"), _StandsStill)

        def stand() -> None:
            self._meanwhile(seconds, step, mode)

        worker.before, worker.after = (stand, nothing) if early else (nothing, stand)
        worker.run(lambda: False)

    def held(self) -> "_Held":
        return _Held(self)

    @rule(
        minutes=st.sampled_from([1, 16, 120]),
        fault=st.sampled_from(sorted(_FAULTS)),
        dies=st.sampled_from(["", "", "before the request", "before the record"]),
    )
    def a_worker_runs(self, minutes: int, fault: str, dies: str) -> None:
        with self.held():
            super().a_worker_runs(minutes, fault, dies)


class _Held:
    """Shows that nothing leaves while the switch stops all, or where neither the policy nor a person lets it."""

    def __init__(self, run: Steered) -> None:
        self._run = run

    def __enter__(self) -> None:
        acts = self._run.made.desk.rules.modes["retry"] is Mode.ACT
        by_hand = any(row.mode == BY_HAND for row in self._run._mine())
        self._may = not self._run.stopped and (acts or by_hand)
        self._before = len(self._run._sends())

    def __exit__(self, *raised: object) -> None:
        if not self._may:
            assert len(self._run._sends()) == self._before


def test_no_interleaving_with_people_and_modes_sends_an_attempt_twice_or_anything_unasked(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    with world(database, vault, tmp_path, _PLAIN, **_UNBOUNDED) as made:
        made.limiter = Unlimited("memory://")
        machine: type[Steered] = type("Machine", (Steered,), {"made": made, "seen": set(), "runs": 0})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=16,
                deadline=timedelta(seconds=60),
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert any(posts for _, posts in machine.seen), machine.seen
