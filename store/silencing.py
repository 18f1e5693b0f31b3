"""Whom nothing may be sent any more: what is planned for them is cancelled, and what it would have said is erased."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from store import retries, sends
from store.moments import to_ms
from store.parts import in_parts
from store.suppressions import ACTIVE, Entry, standing

WANTS_NO_MORE: Final = "the person wants no more"


def silence(connection: Connection, entries: Iterable[Entry], at: datetime) -> None:
    """Do so for those whom these entries stop wherever they stand: what a person or a carrier said outright counts on
    every way to them (promise 12), anything else only where it leaves none open.

    Only what is in force counts, and so it is asked once they are written, and what takes them back is: of an entry
    that is over, or lifted since, the person is free. Where nothing was written, a list's refusal said it.
    """
    meant = [entry for entry in entries if entry.state == ACTIVE and (entry.is_firm or _is_total(entry))]
    if not meant:
        return
    known = standing(connection, meant)
    silenced = [entry for entry in meant if _is_in_force(known.get(entry.key), to_ms(at))]
    accounts = {entry.account for entry in silenced}
    for addresses in in_parts(sorted({entry.address for entry in silenced})):
        retries.cancel_for(connection, accounts, addresses, at, WANTS_NO_MORE)
        sends.erase_for(connection, addresses)


def _is_total(entry: Entry) -> bool:
    scope = (entry.channel, entry.sender, entry.campaign)
    return not any(scope) and entry.purpose == "all" and entry.until is None


def _is_in_force(row: Any, now_ms: int) -> bool:
    return row is None or (row.state == ACTIVE and (row.until is None or row.until > now_ms))
