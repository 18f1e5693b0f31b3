"""The audit trail of suppressions: appended to, never rewritten, and chained so that a change of it shows.

Each row carries a hash over the row before it and its own content, and the entry carries the hash of its last row. A
row that was changed, left out, added or cut off at the end breaks the chain. Whoever may write to the database could
still forge a whole chain with the entry's head; a head that was noted elsewhere shows that too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from store import told
from store.ids import new_ids
from store.moments import from_ms, to_ms
from store.parts import in_parts
from store.schema import suppression_audit, suppressions, trail_cuts
from store.writes import insert_rows

CUT: Final = "trail cut"
"""The change that tells that the trail's beginning was deleted, and names the head which the chain had there."""
_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one entry: a word, its detail, and the new values of its columns."""

    id: int
    what: str
    detail: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a trail is whole. `problem` says what is wrong with the row `at`, or is empty.

    `cut` changes of its beginning, the last of which happened at `cut_until`, are kept no longer: the chain goes on
    from the head that it had then.
    """

    rows: int
    head: bytes
    problem: str = ""
    at: int = 0
    cut: int = 0
    cut_until: datetime | None = None


def link(previous: bytes, number: int, of: int, at_ms: int, who: str, change: str, detail: str) -> bytes:
    """Return the 32 bytes that close the chain over one row. `previous` is empty for an entry's first row."""
    parts = (previous.hex(), str(number), str(of), str(at_ms), who, change, detail)
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_SIZE, person=b"dlr-trail").digest()


def begin(of: Sequence[int], at: datetime, who: str, words: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the first row of each of these new entries; `words` are (change, detail)."""
    moment = to_ms(at)
    return [
        _row(b"", number, one, moment, who, change, detail)
        for number, one, (change, detail) in zip(new_ids(len(of)), of, words, strict=True)
    ]


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows that are made already, once what they tell of is written: it is told from there."""
    insert_rows(connection, suppression_audit, rows)
    if rows:
        lines = [(row["id"], row["suppression_id"], row["change"], row["detail"]) for row in rows]
        told.suppressions_changed(connection, lines, from_ms(rows[0]["at"]))


def change(connection: Connection, changes: Sequence[Change], at: datetime, who: str) -> None:
    """Change entries and append to their trails. All changes of one call name the same columns."""
    moment, who = to_ms(at), who[:128]
    for part in in_parts(sorted(changes, key=lambda one: one.id)):
        heads = _heads(connection, [one.id for one in part])
        found = [one for one in part if one.id in heads]
        rows = []
        for number, one in zip(new_ids(len(found)), found, strict=True):
            row = _row(heads[one.id], number, one.id, moment, who, one.what, one.detail)
            heads[one.id] = row["hash"]
            rows.append(row)
        if not rows:
            continue
        values: dict[str, Any] = {name: bindparam(name) for name in found[0].values}
        statement = update(suppressions).where(suppressions.c.id == bindparam("of"))
        statement = statement.values(audit_head=bindparam("head"), **values)
        connection.execute(statement, [{"of": one.id, "head": heads[one.id], **one.values} for one in found])
        write(connection, rows)


def verify(connection: Connection, number: int) -> Verdict:
    """Compare every row of an entry's trail with the chain, and its end with what the entry itself says.

    The chain says which row follows which: ids made on hosts whose clocks differ need not be in order.
    """
    begins = connection.execute(select(trail_cuts).where(trail_cuts.c.suppression_id == number)).first()
    head, gone, until = (bytes(begins.head), begins.rows, begins.until) if begins else (b"", 0, None)
    left = _rows(connection, number)
    count = len(left)
    if begins is not None and not any(row.change == CUT and row.detail.endswith(head.hex()) for row in left):
        return Verdict(count, head, "nothing tells why its beginning is missing", 0, gone, until)
    ordered, left = _chained(head, left)
    head = bytes(ordered[-1].hash) if ordered else head
    if left:
        return Verdict(count, head, "this row, or one before it, is not as it was written", left[0].id, gone, until)
    kept = connection.execute(select(suppressions.c.audit_head).where(suppressions.c.id == number)).scalar()
    if kept is not None and bytes(kept) != head:
        return Verdict(count, head, "rows are missing at its end", 0, gone, until)
    return Verdict(count, head, "", 0, gone, until)


def in_order(connection: Connection, number: int) -> list[Row[Any]]:
    """Return the rows of a whole trail as they follow each other."""
    begins = connection.execute(select(trail_cuts.c.head).where(trail_cuts.c.suppression_id == number)).scalar()
    return _chained(bytes(begins or b""), _rows(connection, number))[0]


def _rows(connection: Connection, number: int) -> list[Row[Any]]:
    trail = select(suppression_audit).where(suppression_audit.c.suppression_id == number)
    return list(connection.execute(trail.order_by(suppression_audit.c.id)).all())


def _chained(head: bytes, left: list[Row[Any]]) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """Return the rows that follow `head` and each other, and those that do not."""
    ordered: list[Row[Any]] = []
    while left:
        following = next((row for row in left if bytes(row.hash) == _hash_after(head, row)), None)
        if following is None:
            break
        ordered.append(following)
        head = bytes(following.hash)
        left = [row for row in left if row is not following]
    return ordered, left


def _hash_after(previous: bytes, row: Row[Any]) -> bytes:
    return link(previous, row.id, row.suppression_id, to_ms(row.at), row.who, row.change, row.detail)


def _row(previous: bytes, number: int, of: int, at_ms: int, who: str, what: str, detail: str) -> dict[str, Any]:
    # What PostgreSQL cannot hold is replaced before it is hashed, or the chain would be broken from the start.
    detail = detail.replace("\0", "\ufffd")
    return {
        "id": number,
        "suppression_id": of,
        "at": at_ms,
        "who": who,
        "change": what,
        "detail": detail,
        "hash": link(previous, number, of, at_ms, who, what, detail),
    }


def _heads(connection: Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    query = select(suppressions.c.id, suppressions.c.audit_head).where(suppressions.c.id.in_(numbers))
    if connection.dialect.name != "sqlite":
        query = query.order_by(suppressions.c.id).with_for_update()
    return {row.id: bytes(row.audit_head) for row in connection.execute(query)}
