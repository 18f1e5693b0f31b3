"""Reports and decisions: what came in, what it meant, and why what was done was done."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from store import people
from store.about import about
from store.moments import to_ms
from store.schema import decisions, report_keys, reports
from store.vault import Vault
from store.writes import Line, insert_lines, insert_returning, select_in

REPORT: Final = (
    "id",
    "account",
    "callback_id",
    "item_index",
    "message_key",
    "recipient",
    "event",
    "kind",
    "channel",
    "outcome",
    "cause",
    "event_at",
    "received_at",
    "facts",
    "apart",
)
DECISION: Final = (
    "id",
    "report_id",
    "decided_at",
    "replay",
    "rule",
    "actions",
    "reason",
    "policy",
    "tables",
)


def unseen(connection: Connection, keys: Sequence[tuple[str, bytes]], at: datetime) -> set[tuple[str, bytes]]:
    """Remember (account, fingerprint) pairs; return those that were not known: only they may have effects.

    Those of reports that make a message known need no remembering here (`store.messages.Message.fingerprint`).
    """
    now = to_ms(at)
    rows = [{"account": account, "fingerprint": mark, "seen_at": now} for account, mark in sorted(set(keys))]
    found = insert_returning(connection, report_keys, rows, ("account", "fingerprint"))
    return {(account, bytes(mark)) for account, mark in found}


def seen(connection: Connection, keys: Sequence[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Return those of the (account, fingerprint) pairs that are known."""
    names = ("account", "fingerprint")
    accounts, marks = {account for account, _ in keys}, [mark for _, mark in keys]
    rows = select_in(connection, report_keys, "fingerprint", marks, accounts=accounts, columns=names)
    return {(row.account, bytes(row.fingerprint)) for row in rows}


def add_reports(connection: Connection, vault: Vault, lines: Sequence[Line], addresses: Sequence[str]) -> None:
    """Write normalised reports, each a line of what `REPORT` names.

    `addresses` are those of their recipients which the reports themselves hold, sealed; empty where they do not.
    """
    held = people.in_reports(vault, addresses)
    whole = [(*line, *address) for line, address in zip(lines, held, strict=True)]
    insert_lines(connection, reports, (*REPORT, *people.IN_REPORT), whole)


def add_decisions(connection: Connection, lines: Sequence[Line]) -> None:
    """Write decisions, each a line of what `DECISION` names."""
    insert_lines(connection, decisions, DECISION, lines)


def causes_of(connection: Connection, message_keys: Iterable[bytes]) -> dict[bytes, set[str]]:
    """Return the causes that the reports on each of these messages gave."""
    keys = sorted(set(message_keys))
    found: dict[bytes, set[str]] = {}
    query = select(reports.c.message_key, reports.c.cause).where(about(keys)).distinct()
    for row in connection.execute(query) if keys else ():
        found.setdefault(row.message_key, set()).add(row.cause)
    return found
