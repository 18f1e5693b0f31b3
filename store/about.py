"""Which reports are about a message.

Nearly all are found by the recipient that they share with their message, for whom there is an index anyway. One of
their own, in the order of the messages' hashes, would dirty one more page for each report.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, select, union_all

from store.parts import in_parts
from store.schema import messages, reports

# Each key is bound three times, and SQLite takes no more than 32,766 values in a statement.
_AT_ONCE: Final = 10_000
Keys = Collection[bytes] | Select[tuple[bytes]]


def about(keys: Keys) -> ColumnElement[bool]:
    """Return the condition on `reports` that they are about one of these messages (`messages.key`)."""
    recipients = select(messages.c.recipient).where(messages.c.key.in_(keys))
    theirs = reports.alias("theirs")
    apart = reports.alias("apart")
    return reports.c.id.in_(
        union_all(
            select(theirs.c.id).where(theirs.c.recipient.in_(recipients), theirs.c.message_key.in_(keys)),
            select(apart.c.id).where(apart.c.apart, apart.c.message_key.in_(keys)),
        )
    )


def ids_about(connection: Connection, keys: Sequence[bytes], recipients: Collection[bytes] = ()) -> list[int]:
    """Return the ids of the reports on these messages, however many those are, or to these recipients."""
    found = set(connection.scalars(select(reports.c.id).where(reports.c.recipient.in_(recipients))))
    for part in in_parts(keys, _AT_ONCE):
        found.update(connection.scalars(select(reports.c.id).where(about(part))))
    return sorted(found)
