"""All that is stored about one person of one account, for an auditor: every row, a page at a time, none left out."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, or_, select

from store import trail, views
from store.about import about
from store.parts import in_parts
from store.schema import lift_requests, listed, messages, protections, reports, retries, sends, suppressions
from store.trail import Verdict
from store.views import Found

_AT_ONCE: Final = 500
# Columns that say nothing about the person: keys, what is sealed, and who works on a row.
_SENDS: Final = [sends.c[name] for name in (
    "key", "account", "message_id", "channel", "sender", "purpose", "campaign", "application", "entity", "state",
    "origin", "sent_at", "not_after", "obstacle", "flagged",
)]  # fmt: skip
# `list_scope`: the sender, the sender's domain or the application that it is for; empty: all.
_LISTED: Final = [listed.c.scope.label("list_scope"), *(listed.c[name] for name in (
    "id", "account", "list", "channel", "source", "op", "state", "suppression_id", "until", "attempts",
    "first_sent_at", "sent_at", "created_there", "note", "changed_at",
))]  # fmt: skip
# Kept from the first change on; an entry without any was stripped of them.
_NO_TRAIL: Final = "the whole trail is missing"


def snapshot(connection: Connection) -> Connection:
    """Let everything that is read be of one moment, or a change meanwhile would look like a broken chain.

    To be called before anything is read. In SQLite a transaction that only reads is one already.
    """
    if connection.dialect.name == "sqlite":
        return connection
    return connection.execution_options(isolation_level="REPEATABLE READ")


def sends_to(connection: Connection, person: bytes) -> list[Found]:
    """Return what the register has as sent to a person, the earliest first, without content and credential."""
    query = select(*_SENDS).where(sends.c.recipient == person)
    found = list(_paged(connection, query, sends.c.key))
    return sorted(found, key=lambda row: (row["sent_at"], row["key"]))


def messages_to(connection: Connection, person: bytes) -> list[Found]:
    """Return the person's messages, the earliest first: they outlive their reports. Reads the table once: no index."""
    shown = [column for column in messages.columns if column is not messages.c.fingerprint]
    query = select(*shown).where(messages.c.recipient == person)
    found = list(_paged(connection, query, messages.c.key))
    return sorted(found, key=lambda row: (row["first_at"], row["key"]))


def reports_about(connection: Connection, person: bytes, keys: list[bytes]) -> list[Found]:
    """Return the reports on a person or on the messages `keys`, as they happened, each with all its `decisions`."""
    found: dict[int, Found] = {}
    conditions = [reports.c.recipient == person]
    conditions += [about(part) for part in in_parts(keys)]
    for condition in conditions:
        for row in _paged(connection, select(*views.SHOWN).where(condition), reports.c.id):
            found[row["id"]] = row
    made = views.decisions_of(connection, list(found))
    for number, row in found.items():
        row["decisions"] = made.get(number, [])
    return sorted(found.values(), key=lambda row: (row["event_at"], row["id"]))


def resends_to(connection: Connection, person: bytes) -> list[Found]:
    """Return the person's resends as `views.find_retries` does, but all of them and the first attempt first.

    Those, too, that left for this address though their message was sent to another, as by another channel.
    `decision` is what planned it: it outlives the report that it was made on.
    """
    theirs = select(retries.c.id).where(or_(retries.c.recipient == person, retries.c.reached == person))
    numbers = [row["id"] for row in _paged(connection, theirs, retries.c.id)]
    found = []
    for part in in_parts(numbers):
        found += views.retries_with(connection, part)
    made = views.decisions_of(connection, [row["report_id"] for row in found])
    for row in found:
        row["decision"] = next(iter(made.get(row["report_id"], [])), None)
    return sorted(found, key=lambda row: row["id"])


def suppressions_of(connection: Connection, person: bytes) -> list[Found]:
    """Return every entry of a person, past ones too, with its `audit` and the `verdict` on that (`trail.Verdict`)."""
    query = select(suppressions.c.id).where(suppressions.c.address == person)
    found = []
    for number in [row["id"] for row in _paged(connection, query, suppressions.c.id)]:
        row = views.suppression(connection, number)
        if row is not None:
            verdict = trail.verify(connection, number)
            row["verdict"] = verdict if verdict.rows or verdict.problem else Verdict(0, verdict.head, _NO_TRAIL)
            found.append(row)
    return found


def lift_requests_of(connection: Connection, entries: list[int]) -> list[Found]:
    """Return the lifts that were asked for of these entries, decided ones too, the earliest first."""
    found: list[Found] = []
    for part in in_parts(entries):
        query = select(lift_requests).where(lift_requests.c.suppression_id.in_(part))
        found += _paged(connection, query, lift_requests.c.id)
    return sorted(found, key=lambda row: row["id"])


def protections_of(connection: Connection, person: bytes) -> list[Found]:
    """Return what protects a person from being suppressed by failures."""
    query = select(protections).where(protections.c.address == person)
    return [dict(row) for row in connection.execute(query).mappings()]


def list_records_of(connection: Connection, person: bytes) -> list[Found]:
    """Return what is known of a person on Infobip's lists: seen there, put there, taken off; the earliest first."""
    found = list(_paged(connection, select(*_LISTED).where(listed.c.address == person), listed.c.id))
    return sorted(found, key=lambda row: (row["first_sent_at"] or row["created_there"] or row["changed_at"], row["id"]))


def _paged(connection: Connection, query: Select[Any], key: Column[Any]) -> Iterator[Found]:
    """Yield the rows of a query in the order of `key`, which is unique, a page at a time."""
    after: Any = None
    while True:
        page = query if after is None else query.where(key > after)
        rows = views.read_rows(connection, page.order_by(key).limit(_AT_ONCE))
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][key.name]
