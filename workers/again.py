"""Process once more what is in quarantine, after a fix."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from infobip.inbound import InboundError, Reading, read
from store import by_hand, replay
from store.inbox import Callback
from store.schema import inbox, quarantine, reports
from workers.context import Context

_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Again:
    """What became of one quarantined item. `reports` are the ids of the reports that it gave."""

    number: int
    result: str
    reason: str = ""
    reports: tuple[int, ...] = ()


def process_again(context: Context, number: int) -> Again:
    """Put the callback of a quarantined item back into the inbox, process it here, and say what became of it.

    One that still cannot be understood is left where it is.
    """
    with context.database.reading() as connection:
        row = connection.execute(select(quarantine).where(quarantine.c.id == number)).first()
        if row is None:
            return Again(number, "unknown", "there is no such item in quarantine")
        if row.state != "open":
            return Again(number, "closed", f"it is {row.state} already")
        callback = replay.callbacks(connection, context.vault, [row.callback_id]).get(row.callback_id)
        if callback is None:
            return Again(number, "gone", "its raw callback is no longer kept")
        others = _items_of(connection, quarantine.c.item_index, callback.id, quarantine.c.state == "open")
        processed = _items_of(connection, reports.c.item_index, callback.id)
    try:
        reading = _read(callback)
    except Exception as error:  # whatever still fails in reading is the answer to the question that was asked
        return Again(number, "unreadable", _reason(error))
    still = [fault.error for fault in reading.faults if fault.index == row.item_index]
    if still:
        return Again(number, "unreadable", still[0])
    settled = processed if row.item_index < 0 else {item.index for item in reading.items} - others
    if not _put_back(context, number, callback, settled):
        return Again(number, "waiting", "its callback waits in the inbox already")
    _drain(context, callback.id)
    return _became(context, number, callback, row.item_index, processed)


def _read(callback: Callback) -> Reading:
    return read(callback.body, callback.content_type, callback.channel, account=callback.account)


def _reason(error: Exception) -> str:
    if isinstance(error, InboundError):
        return f"{error} {error.next_step}"
    return f"reading it fails in our own code: {type(error).__name__}; the log has the details"


def _items_of(connection: Connection, column: Any, callback_id: int, *conditions: Any) -> set[int]:
    return set(connection.scalars(select(column).where(column.table.c.callback_id == callback_id, *conditions)))


def _put_back(context: Context, number: int, callback: Callback, settled: set[int]) -> bool:
    """Put it back; items that had their effects are remembered anew, however long ago that was."""
    now = datetime.now(UTC)
    items = context.preparer.prepare(callback)
    done = [(item.report.account, item.fingerprint) for item in items if item.index in settled]
    return context.database.repeat(lambda connection: by_hand.put_back(connection, number, done, now))


def _drain(context: Context, callback_id: int) -> None:
    """Work as any worker would until this callback is through, so that the answer is there at once."""

    def is_through() -> bool:
        with context.database.reading() as connection:
            waits = select(inbox.c.id).where(inbox.c.id == callback_id, inbox.c.waiting == 1)
            return connection.execute(waits).first() is None

    context.drain.run(_SECONDS, is_through)


def _became(context: Context, number: int, callback: Callback, index: int, before: set[int]) -> Again:
    callback_id = callback.id
    with context.database.reading() as connection:
        state = connection.execute(select(inbox.c.state).where(inbox.c.id == callback_id)).scalar()
        if state not in ("done", "quarantined"):
            return Again(number, "waiting", "it is in the inbox; a worker processes it as soon as its turn comes")
        query = select(reports.c.id, reports.c.item_index).where(reports.c.callback_id == callback_id)
        made: Sequence[Any] = connection.execute(query.order_by(reports.c.item_index)).all()
        again = select(quarantine.c.reason).where(quarantine.c.callback_id == callback_id, quarantine.c.state == "open")
        reason = connection.execute(again.where(quarantine.c.item_index.in_((-1, index)))).scalar()
    if state == "quarantined" or reason:
        return Again(number, "unreadable", reason or "it is in quarantine again")
    numbers = tuple(row.id for row in made if row.item_index not in before and index in (-1, row.item_index))
    if not numbers:
        return Again(number, "repeated", "its reports were known already, so nothing changed")
    return Again(number, "processed", "", numbers)
