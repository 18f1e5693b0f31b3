"""When each part of the installation last did its work, so that its silence can be told from quiet times."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from store.moments import from_ms, to_ms
from store.schema import meta
from store.writes import upsert

WEB: Final = "web"
PROCESS: Final = "process"
BEAT: Final = "beat"
PARTS: Final = (WEB, PROCESS, BEAT)
_PREFIX: Final = "worked:"


def note(connection: Connection, part: str, now: datetime) -> None:
    """Note that a part has just done its work."""
    upsert(connection, meta, [{"name": _PREFIX + part, "value": str(to_ms(now))}], ["name"], ["value"])


def last(connection: Connection) -> dict[str, datetime]:
    """Return when each part last did its work; one that never did is not in it."""
    rows = connection.execute(select(meta).where(meta.c.name.in_([_PREFIX + part for part in PARTS])))
    return {row.name.removeprefix(_PREFIX): from_ms(int(row.value)) for row in rows}


def claim(connection: Connection, name: str, now: datetime, every: float) -> bool:
    """Take the turn for something done once in `every` seconds by all workers together; whether it is ours."""
    known = connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
    if known is not None and to_ms(now) - int(known) < every * 1000:
        return False
    upsert(connection, meta, [{"name": name, "value": str(to_ms(now))}], ["name"], ["value"])
    return True
