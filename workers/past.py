"""What was known when a report came in, as far as the database still tells."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from policy import History, Purpose
from store import protections, replay
from store.suppressions import LIFTED_BY_DELIVERY
from workers.failed import Failures
from workers.prepare import Prepared
from workers.register import Register, look_up


@dataclass(frozen=True, slots=True)
class Past:
    """What was known of the messages and recipients of some reports."""

    messages: Mapping[bytes, Any]
    reached: Mapping[bytes, int]
    failures: Failures
    times: Mapping[tuple[bytes, str], list[tuple[Any, ...]]]
    arrivals: Mapping[bytes, list[tuple[int, str, datetime]]]
    register: Register
    protected: Collection[tuple[str, bytes]]

    @classmethod
    def read(cls, connection: Connection, items: Sequence[Prepared]) -> "Past":
        """Return what is known of the messages and recipients of these items."""
        keys = [item.message_key for item in items]
        people = [item.recipient for item in items]
        return cls(
            replay.messages_of(connection, keys),
            replay.first_reached(connection, keys),
            Failures.read(connection, [item for item in items if item.recipient]),
            replay.times_before(connection, people),
            replay.arrivals(connection, [item.recipient for item in items if _may_be_disproved(item)]),
            look_up(connection, items),
            # As of now: whom an operator protects is not suppressed over what came before, either.
            protections.protected(
                connection, [(item.report.account, item.recipient) for item in items], datetime.now(UTC)
            ),
        )

    def history(self, item: Prepared, number: int) -> History:
        """Return what was known when the report of this number came in."""
        assert item.meaning is not None
        times = (
            (times - 1 if str(last) == str(number) else times)
            for since, times, last in self.times.get((item.recipient, item.meaning.cause), [])
            if since < item.event_at or str(last) == str(number)
        )
        found = history_of(
            item, self.messages.get(item.message_key), reached=self.reached.get(item.message_key, number) < number
        )
        # Which attempt it was about counts, and not how many followed.
        found = self.register.add_to(found, item)
        return replace(
            found,
            failed_at=item.event_at,
            failed=self.failures.before(item),
            excused=self.failures.excuse(item),
            suppressions=max(times, default=0),
            arrived_by=self._disproved_by(item, number),
            protected=(item.report.account, item.recipient) in self.protected,
        )

    def _disproved_by(self, item: Prepared, number: int) -> tuple[str, ...]:
        if not _may_be_disproved(item):
            return ()
        known = self.arrivals.get(item.recipient, ())
        return tuple(channel for report, channel, at in known if report < number and at > item.event_at)


def _may_be_disproved(item: Prepared) -> bool:
    return item.meaning is not None and item.meaning.cause in LIFTED_BY_DELIVERY


def history_of(item: Prepared, message: Any, *, reached: bool) -> History:
    """Return what a message's row tells."""
    return History(
        purpose=Purpose(message.purpose) if message else Purpose.UNDECLARED,
        resends=message.resends if message else 0,
        sent_at=message.first_at if message else None,
        reached=reached,
        open_legs=bool(item.report.own_channel),
        trusted=item.trusted,
    )
