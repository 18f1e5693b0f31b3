"""Message ids that stand for several people: nobody could tell whose a report on a resend of them is."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from store.schema import messages, sends


def is_shared(connection: Connection, account: str, message_id: str, own: Collection[bytes]) -> bool:
    """Whether anybody but the person whose addresses `own` are the hashes of has a message of this id."""
    if not message_id:
        return False
    # A report that names nobody is about one of those who are known.
    nobody_else = sorted({*own, b""})
    for table in (messages, sends):
        theirs = (table.c.message_id == message_id[:255]) & (table.c.account == account)
        others = select(table.c.key).where(theirs, table.c.recipient.not_in(nobody_else))
        if connection.execute(others.limit(1)).first() is not None:
            return True
    return False
