"""Which reports are about a message.

Nearly all are found by the recipient that they share with their message, for whom there is an index anyway. One of
their own, in the order of the messages' hashes, would dirty one more page for each report.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, select, union_all

from store.schema import messages, reports

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
