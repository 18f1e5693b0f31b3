"""Nor does any interleaving with what people and the policy change meanwhile, or with a worker that stands still."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
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
            case "a second post":
                self.made.resender("another").run(lambda: False)
                self.a_person_has_looked_it_up()
                self.made.resender("another").run(lambda: False)
            case _:
                self.the_mode_is(mode)
                self.made.resender("another").run(lambda: False)

    @rule(
        seconds=st.sampled_from([5, 80, 100]),
        early=st.booleans(),
        step=st.sampled_from(["another worker", "a person", "a cancellation", "a second post", "the mode"]),
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


@pytest.fixture
def machine(database: Database, vault: Vault, tmp_path: Path) -> Iterator[type[Steered]]:
    """The machine over a world of its own."""
    with world(database, vault, tmp_path, _PLAIN, **_UNBOUNDED) as made:
        made.limiter = Unlimited("memory://")
        yield type("Machine", (Steered,), {"made": made, "seen": set(), "runs": 0})


def test_no_interleaving_with_people_and_modes_sends_an_attempt_twice_or_anything_unasked(
    machine: type[Steered],
) -> None:
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


Step = tuple[str, dict[str, Any]]


def _worker(minutes: int, fault: str = "none", dies: str = "") -> Step:
    return "a_worker_runs", {"minutes": minutes, "fault": fault, "dies": dies}


def _slow(seconds: int, step: str, *, early: bool, fault: str = "none", mode: Mode = Mode.ACT) -> Step:
    told = {"seconds": seconds, "step": step, "early": early, "fault": fault, "mode": mode}
    return "a_worker_stands_still", told


_GO: Step = ("a_person_lets_it_go", {})
_LOOKED_UP: Step = ("a_person_has_looked_it_up", {})
_OBSERVE: Step = ("the_mode_is", {"mode": Mode.OBSERVE})
_PROPOSE: Step = ("the_mode_is", {"mode": Mode.PROPOSE})
_ACT: Step = ("the_mode_is", {"mode": Mode.ACT})
_STOP: Step = ("the_switch", {"stopped": True})
_RESUME: Step = ("the_switch", {"stopped": False})
_ACCEPT: Step = ("a_person_answers", {"accept": True})
_ARRIVES: Step = ("arrives", {"number": 0})
_LATER: Step = ("something_leaves_later", {})
# What happens, and how often the first resend is taken by Infobip.
_WALKS: dict[str, tuple[list[Step], int]] = {
    "in doubt, let go by a person": ([_worker(120, "lost after"), _GO, _worker(1), _worker(16)], 1),
    "in doubt, and the mode is set back": ([_worker(120, "lost after"), _OBSERVE, _worker(16)], 1),
    "in doubt, and all is stopped": ([_worker(120, "lost after"), _STOP, _worker(16), _RESUME, _worker(16)], 1),
    "lost, and the mode is set back before it is posted once more": (
        [_worker(120, "lost before"), _LATER, _OBSERVE, *[_worker(16)] * 5],
        0,
    ),
    "lost, set back, and let go by a person": (
        [_worker(120, "lost before"), _LATER, _OBSERVE, *[_worker(16)] * 5, _GO, _GO, _worker(16), _GO, _worker(16)],
        1,
    ),
    "lost, and posted once more by a person": (
        [_worker(120, "lost before"), _LOOKED_UP, _worker(1), _LOOKED_UP, _worker(16)],
        1,
    ),
    "lost, and stopped before a person has it posted once more": (
        [_worker(120, "lost before"), _STOP, _LOOKED_UP, _worker(16), _worker(16)],
        0,
    ),
    "lost, arrived otherwise, and a person has it posted once more": (
        [_worker(120, "lost before"), _LOOKED_UP, _ARRIVES, _GO, _worker(16)],
        0,
    ),
    "proposed, accepted twice": ([_PROPOSE, _worker(120), _ACCEPT, _ACCEPT, _GO, _worker(1), _GO, _worker(16)], 1),
    "proposed, arrived late, accepted": ([_PROPOSE, _worker(120), _ARRIVES, _ACCEPT, _GO, _worker(16)], 0),
    "observed, and acting again": ([_OBSERVE, _worker(120), _ACT, _worker(16)], 0),
    "cancelled, and let go": ([("a_person_cancels", {}), _GO, _worker(120)], 0),
    "a worker stands still while another looks": ([_slow(100, "another worker", early=True), _worker(120)], 0),
    "a worker stands still while another posts it for a person": (
        [_worker(1), _slow(100, "a second post", early=True)],
        1,
    ),
    "its answer is recorded after another has looked": ([_worker(1), _slow(100, "a second post", early=False)], 1),
}


@pytest.mark.parametrize("name", _WALKS)
def test_whoever_interferes_it_leaves_once_or_not_at_all(machine: type[Steered], name: str) -> None:
    steps, times = _WALKS[name]
    run = machine()
    run.begin()
    run.all_acts()
    for step, told in steps:
        getattr(run, step)(**told)
        run.no_attempt_is_taken_twice()
        run.nothing_leaves_after_the_end()
    assert run.made.infobip.times_accepted(f"{run.id}-r1") == times
