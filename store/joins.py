"""Two rows that turn out to be one message: what has to change where."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select, update

from store.about import about
from store.schema import reports


def told_of_by_delivery(connection: Connection, keys: Iterable[bytes]) -> set[bytes]:
    """Return those of the message keys that a delivery report told of: these are surely messages of their own."""
    query = select(reports.c.message_key).where(about(sorted(keys)), reports.c.event == "delivery")
    return set(connection.scalars(query.distinct()))


def give_reports(connection: Connection, moved: Mapping[bytes, tuple[bytes, bytes]]) -> None:
    """Give reports to the message that they were about after all: old key -> (new key, its recipient).

    To be called while the row under the old key is there: by it they are found.
    """
    for old, (new, recipient) in sorted(moved.items()):
        mine = update(reports).where(about([old]))
        connection.execute(mine.values(message_key=new, recipient=recipient))
