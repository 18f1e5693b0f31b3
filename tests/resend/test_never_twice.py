"""No interleaving of reports, answers, crashes and time sends an attempt twice, or anything after the end."""

import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from infobip.outbound import Rate
from store.database import open_database
from store.migrate import migrate_database
from store.vault import open_vault
from tests.resend.world import PERSON, World, world
from tests.support.desk import report
from tests.support.infobip import AT_ONCE, send, sms
from workers.actions.resend.limiter import Limiter
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


class _Open(Limiter):
    """Time is made up here, and a limit by the real clock would only be waited for."""

    def pass_one(self, account: str, name: str, rate: Rate | None, patience: float) -> bool:
        return True


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
        self.made.register(self.id, to=self.person)
        self.made.fail(self.id, to=self.person)

    def _sends(self) -> list[dict[str, Any]]:
        return self.made.infobip.sends(recipient=self.person)

    def _ids(self) -> list[str]:
        return [self.id, *(f"{self.id}-r{number}" for number in range(1, 4))]

    @rule(number=st.integers(0, 3), error=st.sampled_from([27, 32, 34]))
    def fails(self, number: int, error: int) -> None:
        if number == 0 or self.made.infobip.times_accepted(self._ids()[number]):
            self.made.fail(self._ids()[number], error, to=self.person)

    @rule(number=st.integers(0, 3))
    def arrives(self, number: int) -> None:
        if number == 0 or self.made.infobip.times_accepted(self._ids()[number]):
            self.made.deliver(self._ids()[number], to=self.person)
            self._end()

    @rule()
    def wants_no_more(self) -> None:
        self.reported += 1
        said = {"from": self.person, "to": "Shop", "text": "STOP", "receivedAt": report()["doneAt"]}
        self.made.desk.handle({"messageId": f"in-{self.id}-{self.reported}", **said})
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
        worker = _Dying(**{name.removeprefix("_"): value for name, value in vars(plain).items()})
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
    def no_attempt_is_taken_twice(self) -> None:
        if self.runs and hasattr(self, "id"):
            times = {name: self.made.infobip.times_accepted(name) for name in self._ids()}
            assert max(times.values()) <= 1, times

    @invariant()
    def nothing_leaves_after_the_end(self) -> None:
        if getattr(self, "ended", False):
            assert len(self._sends()) == self.sent_at_end


def test_no_interleaving_sends_an_attempt_twice_or_anything_after_the_end() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = open_database(f"sqlite:///{folder / 'dlr.sqlite'}", synchronous="NORMAL")
        stack.callback(database.close)
        migrate_database(database)
        vault = open_vault(folder / "state", database)
        made = stack.enter_context(world(database, vault, folder, _PLAIN, **_UNBOUNDED))
        made.limiter = _Open("memory://")
        Interleavings.made = made
        run_state_machine_as_test(
            Interleavings,
            settings=settings(
                max_examples=60,
                stateful_step_count=14,
                deadline=timedelta(seconds=60),
                suppress_health_check=list(HealthCheck),
            ),
        )
        # That it was worth running: attempts were taken, lost, looked up and posted once more.
        states = {(row.state, row.posts) for row in made.rows()}
        assert {("accepted", 1), ("unknown", 1), ("cancelled", 0)} <= states, states
