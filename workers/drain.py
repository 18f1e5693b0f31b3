"""Empty the inbox: claim callbacks, run them slice by slice, give back what could not be done."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from config.logs import log
from infobip.inbound import InboundError
from store import inbox
from store.database import Database
from store.errors import Unavailable
from store.inbox import Callback
from store.vault import Vault
from workers.pipeline import SLICE, LostLease, Pipeline
from workers.prepare import Prepared, Preparer

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

    def __init__(self, database: Database, vault: Vault, preparer: Preparer, pipeline: Pipeline, owner: str) -> None:
        self._database = database
        self._vault = vault
        self._preparer = preparer
        self._pipeline = pipeline
        self._owner = owner

    def run(self, seconds: float, stopping: Callable[[], bool] = lambda: False) -> Drained:
        """Work for at most about `seconds`, or until nothing is left or `stopping` says so.

        Raises `Unavailable` once the database cannot be used; what was claimed is given back as far as that works.
        """
        done = Drained()
        end = time.monotonic() + seconds
        while time.monotonic() < end and not stopping():
            claimed = inbox.claim(self._database, self._vault, self._owner, _now())
            if not claimed:
                return done
            self._batch(claimed, done)
        done.more = True
        return done

    def _batch(self, claimed: Sequence[Callback], done: Drained) -> None:
        try:
            poison = [callback for callback in claimed if callback.alone_attempts > inbox.MOST_ALONE]
            for callback in poison:
                self._quarantine(callback, f"processing it failed {inbox.MOST_ALONE} times and took its worker down")
            ready, items = self._prepare([callback for callback in claimed if callback not in poison])
            done.quarantined += len(claimed) - len(ready)
            renewed = time.monotonic()
            for part, finished in _parts(items, [callback.id for callback in ready]):
                renewed = self._renew_in_time(ready, renewed)
                done.reports += self._pipeline.run(self._owner, part, finished, _now())
            done.callbacks += len(ready)
        except LostLease:
            # Somebody else took them after our lease ran out; dedup makes whatever we had written harmless.
            _LOG.warning("lease_lost", owner=self._owner, callbacks=len(claimed))
        except (Unavailable, KeyboardInterrupt, SystemExit):
            self._give_back(claimed)
            raise
        except DBAPIError as error:
            # What the data themselves cause must count, or poison would circle for ever; all else is the database's.
            if isinstance(error, (DataError, IntegrityError)):
                raise
            self._give_back(claimed)
            raise Unavailable(f"{type(error).__name__}: the database refused; is it migrated?") from error

    def _renew_in_time(self, callbacks: Sequence[Callback], renewed: float) -> float:
        """Prolong the lease between two slices, once a third of it is over; return when it was prolonged last."""
        if time.monotonic() - renewed < inbox.LEASE.total_seconds() / 3:
            return renewed
        inbox.renew(self._database, self._owner, [callback.id for callback in callbacks], _now())
        return time.monotonic()

    def _prepare(self, claimed: Sequence[Callback]) -> tuple[list[Callback], list[Prepared]]:
        """Decode the callbacks; quarantine whole the ones that cannot be."""
        ready, items = [], []
        for callback in claimed:
            if callback.state == inbox.FOREIGN:
                # Perhaps a key that this worker has not got yet: it stays claimed, and counts as lost with its lease.
                _LOG.error("callback_sealed_with_unknown_key", callback_id=str(callback.id), next_step="dlr doctor")
                continue
            if callback.state == inbox.UNREADABLE:
                self._quarantine(callback, "its stored body was altered")
                continue
            try:
                items += self._preparer.prepare(callback)
            except InboundError as error:
                self._quarantine(callback, f"{error} {error.next_step}")
            except Exception as error:  # any fault of ours in reading: the body is kept, and a fix can replay it
                _LOG.exception("callback_not_decoded", callback_id=str(callback.id))
                self._quarantine(callback, f"reading it failed unexpectedly: {type(error).__name__}")
            else:
                ready.append(callback)
        return ready, items

    def _quarantine(self, callback: Callback, reason: str) -> None:
        def work(connection: object) -> None:
            inbox.quarantine_claimed(connection, self._owner, callback, _now(), reason)  # type: ignore[arg-type]

        self._database.repeat(work)
        _LOG.error("callback_quarantined", callback_id=str(callback.id), reason=reason)

    def _give_back(self, claimed: Sequence[Callback]) -> None:
        try:
            inbox.give_back(self._database, self._owner, [callback.id for callback in claimed])
        except Unavailable:
            _LOG.warning("give_back_failed", callbacks=len(claimed), next_step="their lease ends within 30 s")


def _parts(items: Sequence[Prepared], callbacks: Sequence[int]) -> Iterator[tuple[list[Prepared], list[int]]]:
    """Yield slices of at most `SLICE` items, each with the callbacks whose last item it holds."""
    open_ones = list(callbacks)
    for start in range(0, len(items), SLICE):
        part = list(items[start : start + SLICE])
        later = {item.callback_id for item in items[start + SLICE :]}
        finished = [number for number in open_ones if number not in later]
        open_ones = [number for number in open_ones if number in later]
        yield part, finished
    if open_ones:
        yield [], open_ones


def _now() -> datetime:
    return datetime.now(UTC)
