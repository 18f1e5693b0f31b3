"""Empty the inbox: claim callbacks, run them slice by slice, give back what could not be done."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from config.logs import log
from infobip.inbound import InboundError
from store import inbox, incidents
from store.choice import LEASE
from store.database import Database
from store.errors import StoreError, Unavailable
from store.inbox import Callback
from store.sqlite import RECEIVED
from store.vault import Vault
from workers.lease import Lease
from workers.pace import Rest
from workers.pipeline import LostLease, Pipeline
from workers.prepare import Prepared, Preparer
from workers.sightings import keys_missing

_LOG = log(__name__)


@dataclass(slots=True)
class Drained:
    """What one drain did. `more` says that work may be left."""

    callbacks: int = 0
    reports: int = 0
    quarantined: int = 0
    more: bool = False


class Drain:
    """Drains the inbox for one worker process."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        preparer: Preparer,
        pipeline: Pipeline,
        owner: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        rest: Rest | None = None,
    ) -> None:
        self._database = database
        self._vault = vault
        self._preparer = preparer
        self._pipeline = pipeline
        self._owner = owner
        self._clock = clock
        self._rest = rest or Rest(timedelta())

    def run(self, seconds: float, stopping: Callable[[], bool] = lambda: False) -> Drained:
        """Work for at most about `seconds`, or until nothing is left or `stopping` says so.

        Raises `Unavailable` once the database cannot be used; what was claimed is given back as far as that works.
        """
        done = Drained()
        end = time.monotonic() + seconds
        # What a killed worker held is tried one by one. That takes its time, and no more than half of all there is.
        spent = {True: 0.0, False: 0.0}
        while time.monotonic() < end and not stopping():
            self._rest.taken()
            begun, before = time.monotonic(), done.reports
            claimed = self._claim(fresh_first=spent[True] >= spent[False])
            if not claimed.callbacks:
                return done
            self._batch(claimed.callbacks, done)
            spent[claimed.again] += time.monotonic() - begun
            if self._rest.after(done.reports - before, more=claimed.more):
                # Copied little by little, SQLite's log never keeps the disk from a callback that arrives for long.
                self._database.tidy()
        done.more = True
        return done

    def _claim(self, *, fresh_first: bool) -> inbox.Claim:
        return inbox.claim(self._database, self._vault, self._owner, self._clock(), fresh_first=fresh_first)

    def _batch(self, claimed: Sequence[Callback], done: Drained) -> None:
        try:
            claimed = self._openable(claimed)
            poison = [callback for callback in claimed if callback.alone_attempts > inbox.MOST_ALONE]
            for callback in poison:
                self._quarantine(callback, f"processing it failed {inbox.MOST_ALONE} times, each time by itself")
                done.quarantined += 1
            self._slices([callback for callback in claimed if callback not in poison], done)
        except LostLease:
            # Somebody else took them after our lease ran out; dedup makes whatever we had written harmless.
            _LOG.warning("lease_lost", owner=self._owner, callbacks=len(claimed))
        except (Unavailable, KeyboardInterrupt, SystemExit):
            self._give_back(claimed)
            raise
        except DBAPIError as error:
            # What the data themselves cause must count, or poison would circle for ever; all else is the database's.
            if isinstance(error, (DataError, IntegrityError)):
                self._failed(claimed)
                return
            self._give_back(claimed)
            raise Unavailable(f"{type(error).__name__}: the database refused; is it migrated?") from error
        except StoreError:
            raise
        except Exception:  # whatever one callback meets in our own code must not keep its neighbours
            self._failed(claimed)

    def _slices(self, claimed: Sequence[Callback], done: Drained) -> None:
        """Process callbacks in slices; each is read only when its turn has come.

        The reading between two transactions is the time in which other writers of an SQLite database have theirs.
        """
        lease = Lease(self._database, self._owner, [callback.id for callback in claimed])
        items: list[Prepared] = []
        finished: list[int] = []
        for callback in claimed:
            lease.renew_in_time()
            with lease.kept_while_reading(len(callback.body)):
                found = self._read(callback)
            if found is None:
                done.quarantined += 1
                continue
            items += found
            # Whatever was there before had room, so it ends in the first of these slices.
            while len(items) > self._pipeline.pace.size:
                items = items[self._slice(items, finished, done) :]
                finished = []
                lease.renew_in_time()
            finished.append(callback.id)
            done.callbacks += 1
        if items or finished:
            self._slice(items, finished, done)

    def _slice(self, items: Sequence[Prepared], finished: Sequence[int], done: Drained) -> int:
        """Run the first slice of `items`, in which the callbacks `finished` end; return how many items it took."""
        part = items[: self._pipeline.pace.size]
        with self._pipeline.pace.measured(len(part)):
            done.reports += self._pipeline.run(self._owner, part, finished, self._clock())
        return len(part)

    def _read(self, callback: Callback) -> list[Prepared] | None:
        """Decode a callback; quarantine whole what cannot be."""
        if callback.state == inbox.UNREADABLE:
            self._quarantine(callback, "its stored body was altered")
            return None
        try:
            return self._preparer.prepare(callback)
        except InboundError as error:
            self._quarantine(callback, f"{error} {error.next_step}")
        except Exception as error:  # any fault of ours in reading: the body is kept, and a fix can replay it
            _LOG.exception("callback_not_decoded", callback_id=str(callback.id))
            self._quarantine(callback, f"reading it failed unexpectedly: {type(error).__name__}")
        return None

    def _openable(self, claimed: Sequence[Callback]) -> Sequence[Callback]:
        """Return the callbacks whose key is at hand; put the others off until the key file may have it."""
        foreign = [callback for callback in claimed if callback.state == inbox.FOREIGN]
        if not foreign:
            return claimed
        now = self._clock()
        inbox.give_back(self._database, self._owner, [callback.id for callback in foreign], until=now + LEASE)
        seen = keys_missing(socket.gethostname(), foreign, now)
        self._database.repeat(lambda connection: incidents.note(connection, seen))
        _LOG.error("key_missing", callbacks=len(foreign), next_step=seen[0].next_step)
        return [callback for callback in claimed if callback.state != inbox.FOREIGN]

    def _quarantine(self, callback: Callback, reason: str) -> None:
        def work(connection: object) -> None:
            inbox.quarantine_claimed(connection, self._owner, callback, self._clock(), reason)  # type: ignore[arg-type]

        self._database.repeat(work, lock=RECEIVED)
        _LOG.error("callback_quarantined", callback_id=str(callback.id), reason=reason)

    def _failed(self, claimed: Sequence[Callback]) -> None:
        """Let each be tried by itself. What failed alone rests until its lease is over, since it may pass."""
        _LOG.exception("callbacks_failed", callbacks=len(claimed), callback_id=str(claimed[0].id) if claimed else "")
        if len(claimed) > 1:
            inbox.let_go(self._database, self._owner, [callback.id for callback in claimed])

    def _give_back(self, claimed: Sequence[Callback]) -> None:
        try:
            inbox.give_back(self._database, self._owner, [callback.id for callback in claimed])
        except Unavailable:
            _LOG.warning("give_back_failed", callbacks=len(claimed), next_step="their lease ends within 30 s")
