"""Two rows that turn out to be one message: what has to change where."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select, update

from store.about import about
from store.schema import messages, reports


def told_of_by_delivery(connection: Connection, keys: Iterable[bytes]) -> set[bytes]:
    """Return those of the message keys that a delivery report told of: these are surely messages of their own."""
    query = select(reports.c.message_key).where(about(sorted(keys)), reports.c.event == "delivery")
    return set(connection.scalars(query.distinct()))


def drop(connection: Connection, keys: Iterable[bytes]) -> None:
    """Delete messages that another one stands for now."""
    if wanted := sorted(keys):
        connection.execute(delete(messages).where(messages.c.key.in_(wanted)))


def give_reports(connection: Connection, moved: Mapping[bytes, tuple[bytes, bytes]]) -> None:
    """Give reports to the message that they were about after all: old key -> (new key, its recipient).

    To be called before `drop`: by the row under the old key they are found.
    """
    for old, (new, recipient) in sorted(moved.items()):
        mine = update(reports).where(about([old]))
        connection.execute(mine.values(message_key=new, recipient=recipient))
