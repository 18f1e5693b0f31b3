"""Send one batch of one line: claim, act, record."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from config.logs import log
from store import incidents, outbox
from store.database import Database
from store.errors import Unavailable
from store.incidents import Sighting
from store.outbox import Circuit, Delivery, Line, Settled
from workers.actions.kinds import Kind, Lane
from workers.actions.post import Patience
from workers.actions.results import TRIPS, Outcome, Result, after_failure, next_attempt

_LOG = log(__name__)
BATCH: Final = 20
# Results wait for one another no longer than this: a crash sends again what was not recorded.
_RECORD_EVERY: Final = 1.0
_RESERVE: Final = timedelta(seconds=Patience().total + 10)
OVER: Final = "its time was over before the target took it"
DICE: Final[Callable[[], float]] = random.random


@dataclass(slots=True)
class LineWork:
    """One batch of one line, by one thread."""

    database: Database
    owner: str
    kind: Kind
    line: Line
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    settled: list[Settled] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    failure: Result | None = None
    broken: bool = False
    answered: bool = False
    over: int = 0
    recorded_at: float = 0.0

    def run(self) -> int:
        """Send what can be sent; return how many rows are done or given up."""
        # Whether a failing target is back is found out with one callback and not with twenty.
        most = 1 if self.line.circuit.failures >= TRIPS else BATCH
        claimed = outbox.claim(self.database, self.line, self.owner, self.clock(), most)
        if not claimed:
            return 0
        lane = self.kind.lane(self.line.target)
        if lane is None:
            return self._strand(claimed)
        self.recorded_at = time.monotonic()
        try:
            self._send_all(lane, claimed)
        finally:
            lane.close()
        return self.over

    def _send_all(self, lane: Lane, claimed: Sequence[Delivery]) -> None:
        for place, delivery in enumerate(claimed):
            late = self.clock() > delivery.lease_until - _RESERVE
            if late or self.broken or self.stopping():
                self.settled += [Settled(one, "due", one.due_at, one.error, counted=False) for one in claimed[place:]]
                break
            self._note(delivery, self._try(lane, delivery))
            if time.monotonic() - self.recorded_at >= _RECORD_EVERY:
                self._record()
        self._record()

    def _try(self, lane: Lane, delivery: Delivery) -> Result:
        try:
            return lane.send(delivery, self.clock())
        except Unavailable:
            raise
        except Exception as error:  # a mistake of ours with one row must not hold back its neighbours
            _LOG.exception("outbox_row_failed", kind=delivery.kind, outbox_id=str(delivery.id))
            return Result(Outcome.FAULT, type(error).__name__)

    def _note(self, delivery: Delivery, result: Result) -> None:
        now = self.clock()
        # What was done without being sent has a reason, and says nothing about the target.
        sent = result.outcome is Outcome.DONE and not result.reason
        self.answered = self.answered or sent or result.outcome is Outcome.REFUSED
        if result.outcome is Outcome.DONE:
            done = Settled(delivery, "done", now, result.reason)
            if result.again is not None:
                done = Settled(delivery, "due", result.again, counted=False)
            self.settled.append(done)
            return
        due_at = next_attempt(result, delivery.attempts, now, delivery.give_up_at, DICE)
        if result.of_target:
            self.failure, self.broken = result, True
        trouble = self.kind.sighting(delivery, result, now)
        # The first failures of an outage are the circuit's affair; it counts them for all of the line.
        if trouble is not None and (not result.of_target or delivery.attempts > TRIPS or self._trips()):
            self.sightings.append(trouble)
        if due_at is None:
            reason = result.reason if result.outcome is Outcome.LOST else f"{OVER}: {result.reason}"
            self.sightings.append(self.kind.lost(delivery.account, delivery.target, reason, now))
            self.settled.append(Settled(delivery, "given_up", now, reason))
        else:
            self.settled.append(Settled(delivery, "due", due_at, result.reason))

    def _trips(self) -> bool:
        assert self.failure is not None
        return after_failure(self.line.circuit, self.failure, self.clock(), DICE).failures >= TRIPS

    def _record(self) -> None:
        kept = self.database.repeat(self._write)
        if kept < len(self.settled):
            _LOG.warning("lease_lost", owner=self.owner, rows=len(self.settled) - kept)
        self.over += sum(one.state != "due" for one in self.settled)
        self.settled, self.sightings, self.failure = [], [], None
        self.recorded_at = time.monotonic()

    def _write(self, connection: Connection) -> int:
        kept = outbox.settle(connection, self.owner, self.settled)
        incidents.note(connection, self.sightings)
        kind, target = self.line.kind, self.line.target
        if self.failure is not None:
            # Read anew: other workers meet the same failure at the same time.
            circuit = outbox.circuit_of(connection, kind, target)
            outbox.note_circuit(connection, kind, target, after_failure(circuit, self.failure, self.clock(), DICE))
        elif self.answered and self.line.circuit.failures:
            outbox.note_circuit(connection, kind, target, Circuit())
        return kept

    def _strand(self, claimed: Sequence[Delivery]) -> int:
        def write(connection: Connection) -> int:
            now = self.clock()
            reason = self.kind.strand(connection, claimed, now)
            if self.line.circuit.failures:
                outbox.note_circuit(connection, self.line.kind, self.line.target, Circuit())
            return outbox.settle(connection, self.owner, [Settled(one, "given_up", now, reason) for one in claimed])

        return self.database.repeat(write)
