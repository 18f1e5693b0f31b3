"""What deciding anew needs from the database: reports, their bodies, and what was known when they came in."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from store.about import about
from store.arrivals import arrived
from store.inbox import Callback, as_callback
from store.moments import to_ms
from store.schema import inbox, messages, meta, reports, suppressions
from store.vault import Vault
from store.views import Found, Wanted, latest_decisions, report_conditions
from store.writes import insert_new

_ID_BITS: Final = 22


def first_id(wanted: Wanted) -> int:
    """Return an id below those of all reports that `wanted` may mean: ids begin with the time of processing."""
    return (to_ms(wanted.since) << _ID_BITS) - 1 if wanted.since else 0


def page(connection: Connection, wanted: Wanted, after: int, last: int, most: int) -> list[Found]:
    """Return the next reports in the order of their ids, each with its latest `decision`, or none."""
    query = select(reports).where(*_conditions(wanted, after, last)).order_by(reports.c.id).limit(most)
    found = [dict(row) for row in connection.execute(query).mappings()]
    decided = latest_decisions(connection, [row["id"] for row in found])
    for row in found:
        row["decision"] = decided.get(row["id"])
    return found


def _conditions(wanted: Wanted, after: int, last: int) -> list[ColumnElement[bool]]:
    return [reports.c.id > after, reports.c.id <= last, *report_conditions(wanted)]


def callbacks(connection: Connection, vault: Vault, ids: Iterable[int]) -> dict[int, Callback]:
    """Return the callbacks of these ids whose bodies are still kept."""
    query = select(inbox).where(inbox.c.id.in_(sorted(set(ids))))
    return {row.id: as_callback(row, vault) for row in connection.execute(query)}


def messages_of(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, Any]:
    """Return the messages of these keys, without locking them."""
    query = select(messages).where(messages.c.key.in_(sorted({key for key in keys if key})))
    return {row.key: row for row in connection.execute(query)}


def first_reached(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, int]:
    """Return the id of the first report by which each of these messages had arrived."""
    query = (
        select(reports.c.message_key, func.min(reports.c.id))
        .where(about(sorted({key for key in keys if key})), arrived())
        .group_by(reports.c.message_key)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def arrivals(connection: Connection, addresses: Iterable[bytes]) -> dict[bytes, list[tuple[int, str, datetime]]]:
    """Return (report, channel, event time) of all that arrived at each address, as far as reports are kept."""
    wanted = sorted({number for number in addresses if number})
    query = select(reports.c.recipient, reports.c.id, reports.c.channel, reports.c.event_at)
    found: dict[bytes, list[tuple[int, str, datetime]]] = {}
    for recipient, *told in connection.execute(query.where(reports.c.recipient.in_(wanted), arrived())):
        found.setdefault(recipient, []).append((told[0], told[1], told[2]))
    return found


def times_before(connection: Connection, addresses: Iterable[bytes]) -> dict[tuple[bytes, str], list[tuple[Any, ...]]]:
    """Return (since, times, report of the evidence) of the suppressions of each (address, cause)."""
    query = select(suppressions).where(suppressions.c.address.in_(sorted({number for number in addresses if number})))
    found: dict[tuple[bytes, str], list[tuple[Any, ...]]] = {}
    for row in connection.execute(query):
        found.setdefault((row.address, row.cause), []).append(
            (row.since, row.times, evidence_of(row).get("report", ""))
        )
    return found


def evidence_of(row: Any) -> Mapping[str, Any]:
    evidence: Mapping[str, Any] = json.loads(row.evidence or "{}")
    return evidence


def read_progress(connection: Connection, name: str) -> str | None:
    """Return how far the replay of this name came, or nothing."""
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def move_progress(connection: Connection, name: str, old: str | None, new: str | None) -> bool:
    """Set how far the replay came, or end it; whether nobody else moved it meanwhile."""
    if old is None:
        if new is not None:
            insert_new(connection, meta, [{"name": name, "value": new}])
        return read_progress(connection, name) == new
    same = and_(meta.c.name == name, meta.c.value == old)
    if new is None:
        return connection.execute(meta.delete().where(same)).rowcount == 1
    return connection.execute(update(meta).where(same).values(value=new)).rowcount == 1
