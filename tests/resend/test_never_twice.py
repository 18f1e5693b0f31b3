"""No interleaving of reports, answers, crashes and time sends an attempt twice, or anything after the end."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from store.database import open_database
from store.migrate import migrate_database
from store.vault import open_vault
from tests.resend.world import PERSON, Unlimited, World, turned, world
from tests.support.desk import report
from tests.support.infobip import AT_ONCE, send, sms
from workers.actions.resend.resender import Resender

# A second submission under the same id is taken like the first, so that nothing but our own care prevents it.
_PLAIN = {**AT_ONCE, "duplicate_ids": "accept", "limits": False}
_FAULTS: dict[str, Any] = {
    "none": None,
    "lost after": {"drop": "after"},
    "lost before": {"drop": "before"},
    "too many": {"status": 429},
    "broken": {"status": 503},
}


# One account for all runs: its budgets would be all that is tested.
_UNBOUNDED: dict[str, Any] = {"resends_per_day": 10**6, "resends_share": 1.0, "money_per_day": 10.0**6}


class _Killed(BaseException):
    """The process is gone at once: nothing is recorded, nothing is given back."""


class _Dying(Resender):
    """A worker that dies at the chosen moment."""

    dies = ""

    def _post(self, ready: Any) -> Any:
        if self.dies == "before the request":
            raise _Killed
        result = super()._post(ready)
        if self.dies == "before the record":
            raise _Killed
        return result


class Interleavings(RuleBasedStateMachine):
    """One message, its reports and its resends, in any order."""

    made: World
    """Set by the test: building a world for each run would take longer than the run."""
    runs = 0
    seen: set[tuple[str, int]]
    """States, with the number of posts, that resends have passed through in all runs."""

    @initialize()
    def begin(self) -> None:
        type(self).runs += 1
        self.id = f"m{self.runs}"
        # A person each, or the cap for one person would be all that is tested.
        self.person = f"{int(PERSON) + self.runs}"
        self.ended = False
        self.sent_at_end = 0
        self.reported = 0
        self.made.infobip.load(_PLAIN)
        self.key = self.made.register(self.id, to=self.person).key
        self._report(self.id, status=9, error=27)

    def _report(self, message_id: str, **more: Any) -> None:
        # By this world's clock: a run that begins days after its messages finds all of them expired.
        self.made.hear(report(message_id, to=self.person, **more))

    def _sends(self) -> list[dict[str, Any]]:
        return self.made.infobip.sends(recipient=self.person)

    def states(self) -> set[tuple[str, int]]:
        """Return the states of its resends now, each with the number of posts."""
        return {(row.state, row.posts) for row in self.made.rows() if row.message_key == self.key}

    def _ids(self) -> list[str]:
        return [self.id, *(f"{self.id}-r{number}" for number in range(1, 4))]

    @rule(number=st.integers(0, 3), error=st.sampled_from([27, 32, 34]))
    def fails(self, number: int, error: int) -> None:
        if number == 0 or self.made.infobip.times_accepted(self._ids()[number]):
            self._report(self._ids()[number], status=9, error=error)

    @rule(number=st.integers(0, 3))
    def arrives(self, number: int) -> None:
        if number == 0 or self.made.infobip.times_accepted(self._ids()[number]):
            self._report(self._ids()[number])
            self._end()

    @rule()
    def wants_no_more(self) -> None:
        self.reported += 1
        said = {"from": self.person, "to": "Shop", "text": "STOP", "receivedAt": ""}
        self.made.hear({"messageId": f"in-{self.id}-{self.reported}", **said})
        self._end()

    def _end(self) -> None:
        if not self.ended:
            self.ended, self.sent_at_end = True, len(self._sends())

    @rule(
        minutes=st.sampled_from([1, 16, 120]),
        fault=st.sampled_from(sorted(_FAULTS)),
        dies=st.sampled_from(["", "", "before the request", "before the record"]),
    )
    def a_worker_runs(self, minutes: int, fault: str, dies: str) -> None:
        found = _FAULTS[fault]
        rules = [{"name": fault, "match": {"recipient": self.person}, "fault": found}] if found else []
        self.made.infobip.load({**_PLAIN, "rule": rules})
        self.made.clock.pass_(minutes=minutes)
        plain = self.made.resender()
        worker = turned(plain, _Dying)
        worker.dies = dies
        try:
            worker.run(lambda: False)
        except _Killed:
            # Its lease has to end before anybody takes over.
            self.made.clock.pass_(minutes=2)

    @rule()
    def something_leaves_later(self) -> None:
        self.reported += 1
        other, to = f"{self.id}-other-{self.reported}", f"{int(PERSON) - self.runs}"
        self.made.register(other, to=to, state="accepted", sent_at=self.made.clock())
        self.made.infobip.load(_PLAIN)
        send(self.made.infobip, sms(to, message_id=other))

    @invariant()
    def every_state_is_noted(self) -> None:
        if hasattr(self, "key"):
            self.seen.update(self.states())

    @invariant()
    def no_attempt_is_taken_twice(self) -> None:
        if self.runs and hasattr(self, "id"):
            times = {name: self.made.infobip.times_accepted(name) for name in self._ids()}
            assert max(times.values()) <= 1, times

    @invariant()
    def nothing_leaves_after_the_end(self) -> None:
        if getattr(self, "ended", False):
            assert len(self._sends()) == self.sent_at_end


@contextmanager
def interleavings() -> Iterator[type[Interleavings]]:
    """Return the machine over a world of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = open_database(f"sqlite:///{folder / 'dlr.sqlite'}", synchronous="NORMAL")
        stack.callback(database.close)
        migrate_database(database)
        vault = open_vault(folder / "state", database)
        made = stack.enter_context(world(database, vault, folder, _PLAIN, **_UNBOUNDED))
        made.limiter = Unlimited("memory://")
        yield type("Machine", (Interleavings,), {"made": made, "seen": set(), "runs": 0})


def test_no_interleaving_sends_an_attempt_twice_or_anything_after_the_end() -> None:
    with interleavings() as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=60,
                stateful_step_count=14,
                deadline=timedelta(seconds=60),
                suppress_health_check=list(HealthCheck),
            ),
        )
        # That it was worth running: some left, whatever became of them. Which states a run goes through is chance, so
        # that each of them is reached at all is shown by the walks below.
        assert any(posts for _, posts in machine.seen), machine.seen


def _worker(minutes: int, fault: str = "none", dies: str = "") -> tuple[str, dict[str, Any]]:
    return "a_worker_runs", {"minutes": minutes, "fault": fault, "dies": dies}


_LATER: tuple[str, dict[str, Any]] = ("something_leaves_later", {})
_WALKS: dict[str, tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, int]]]] = {
    "it leaves": ([_worker(120)], [("planned", 0), ("accepted", 1)]),
    "it does not leave at first": ([_worker(120, "too many"), _worker(16)], [("planned", 0), ("accepted", 1)]),
    "its answer is lost and the logs show it": (
        [_worker(120, "lost after"), _worker(16)],
        [("planned", 0), ("unknown", 1), ("accepted", 1)],
    ),
    "it is lost and posted once more": (
        [_worker(120, "lost before"), _LATER, *[_worker(16)] * 4],
        [("planned", 0), ("unknown", 1), ("accepted", 2)],
    ),
    "its worker dies before the request": (
        [_worker(120, dies="before the request"), _worker(1), _LATER, *[_worker(16)] * 4],
        [("planned", 0), ("sending", 1), ("unknown", 1), ("accepted", 2)],
    ),
    "its worker dies before the record": (
        [_worker(120, dies="before the record"), _worker(16)],
        [("planned", 0), ("sending", 1), ("accepted", 1)],
    ),
    "the person stops first": ([("wants_no_more", {}), _worker(120)], [("planned", 0), ("cancelled", 0)]),
    "it arrives late": (
        [_worker(120, "broken"), ("arrives", {"number": 0}), *[_worker(16)] * 4],
        [("planned", 0), ("unknown", 1)],
    ),
}


@pytest.mark.parametrize("name", _WALKS)
def test_a_resend_goes_through_these_states(name: str) -> None:
    steps, states = _WALKS[name]
    with interleavings() as machine:
        run = machine()
        run.begin()
        gone_through = [run.states()]
        for rule_name, chosen in steps:
            getattr(run, rule_name)(**chosen)
            run.no_attempt_is_taken_twice()
            run.nothing_leaves_after_the_end()
            gone_through.append(run.states())
    changes = pairwise([set(), *gone_through])
    assert [state for before, after in changes for state in sorted(after - before)] == states
