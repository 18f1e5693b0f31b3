"""Entries that people and applications make: one by one, from a file, or over the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from codes.causes import FIRM
from reports import normalise
from store import people, protections, silencing, suppressions
from store.moments import to_ms
from store.suppressions import ACTIVE, DECIDED, Entry
from store.vault import Vault

BY_HAND: Final = "operator"
"""The cause of an entry whose maker named no other."""
ADDED: Final = "added"
STANDS: Final = "stands already"
PROTECTED: Final = "protected"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry as somebody asks for it. Empty `channel`, `sender` or `campaign` means all."""

    account: str
    address: str = field(repr=False)
    channel: str = ""
    sender: str = ""
    campaign: str = ""
    purpose: str = "all"
    cause: str = BY_HAND
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""


def enter(
    connection: Connection, vault: Vault, wanted: Sequence[Wanted], now: datetime, who: str, origin: str
) -> list[str]:
    """Write entries; return what became of each: `ADDED`, `STANDS`, or `PROTECTED`."""
    if not wanted:
        return []
    entries = [_entry(vault, one, now, who, origin) for one in wanted]
    kept = protections.protected(connection, {(entry.account, entry.address) for entry in entries}, now)
    known = suppressions.standing(connection, entries)
    results, written, seen = [], [], set()
    for entry in entries:
        row = known.get(entry.key)
        if (entry.account, entry.address) in kept and entry.cause not in FIRM:
            results.append(PROTECTED)
        elif entry.key in seen or (row is not None and _covers(row, entry, now)):
            results.append(STANDS)
        else:
            seen.add(entry.key)
            written.append(entry)
            results.append(ADDED)
    people.keep(connection, vault, _addresses(vault, wanted, written, now))
    suppressions.suppress(connection, written, now, who, known)
    silencing.silence(connection, written, now)
    return results


def _entry(vault: Vault, one: Wanted, now: datetime, who: str, origin: str) -> Entry:
    evidence: Mapping[str, Any] = {"by": who, "reason": one.reason} if one.reason else {"by": who}
    return Entry(
        account=one.account,
        address=vault.hash_address(one.account, normalise(one.address)),
        channel=one.channel,
        sender=one.sender,
        campaign=one.campaign,
        purpose=one.purpose,
        cause=one.cause,
        rule="",
        origin=origin,
        state=ACTIVE,
        since=one.since or now,
        until=one.until,
        evidence=evidence,
        held_by=DECIDED,
    )


def _covers(row: Any, entry: Entry, now: datetime) -> bool:
    """Whether what stands blocks at least as long as what is asked for. What is over adds nothing to what is known."""
    if entry.until is not None and entry.until <= now:
        return True
    if row.state != ACTIVE or (row.until is not None and row.until <= to_ms(now)):
        # An event from before a lift does not bring back what was lifted.
        return row.state not in suppressions.STANDING and to_ms(entry.since) <= row.event_at
    return row.until is None or (entry.until is not None and to_ms(entry.until) <= row.until)


def _addresses(
    vault: Vault, wanted: Sequence[Wanted], written: Sequence[Entry], now: datetime
) -> dict[bytes, people.Address]:
    new = {entry.address for entry in written}
    found: dict[bytes, people.Address] = {}
    for one in wanted:
        address = normalise(one.address)
        number = vault.hash_address(one.account, address)
        if number in new:
            found.setdefault(number, (address, to_ms(now)))
    return found
