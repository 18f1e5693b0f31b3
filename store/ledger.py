"""Reports and decisions: what came in, what it meant, and why what was done was done."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from config.mask import tail
from reports import mail_domain
from store.about import about
from store.moments import to_ms
from store.schema import addresses, decisions, report_keys, reports
from store.vault import Vault
from store.writes import insert_new, insert_returning, insert_rows, select_in


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


def address_row(vault: Vault, number: bytes, address: str, at: datetime | int) -> dict[str, Any]:
    """Return how an address is kept; `number` is its hash. `at` may be in milliseconds, for who makes many."""
    return {
        "hash": number,
        "sealed": vault.seal(address.encode("utf-8", "surrogatepass")),
        "tail": tail(address),
        "domain": mail_domain(address)[:255],
        "seen_at": to_ms(at) if isinstance(at, datetime) else at,
    }


def add_addresses(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep addresses that are not kept yet: their hash, and sealed."""
    insert_new(connection, addresses, sorted(rows, key=lambda row: row["hash"]))


def address_of(connection: Connection, vault: Vault, hashed: bytes) -> str:
    """Return the address of a hash, normalised; empty where it is not kept."""
    sealed = connection.scalar(select(addresses.c.sealed).where(addresses.c.hash == hashed))
    return vault.open(sealed).decode("utf-8", "surrogatepass") if sealed else ""


def add_reports(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write normalised reports."""
    insert_rows(connection, reports, rows)


def add_decisions(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write decisions."""
    insert_rows(connection, decisions, rows)


def causes_of(connection: Connection, message_keys: Iterable[bytes]) -> dict[bytes, set[str]]:
    """Return the causes that the reports on each of these messages gave."""
    keys = sorted(set(message_keys))
    found: dict[bytes, set[str]] = {}
    query = select(reports.c.message_key, reports.c.cause).where(about(keys)).distinct()
    for row in connection.execute(query) if keys else ():
        found.setdefault(row.message_key, set()).add(row.cause)
    return found
