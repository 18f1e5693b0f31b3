"""Whether a suppression stands in the way of a message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from store.moments import from_ms, to_ms
from store.schema import suppressions
from store.suppressions import ACTIVE, cut
from store.writes import select_in

# What a suppression's purpose says where it is for messages of every kind.
_EVERY_PURPOSE: Final = ("", "all")
_UNDECLARED: Final = "undeclared"


class Asked(NamedTuple):
    """One message about to leave. `address` is the recipient's hash (`Vault.hash_address`)."""

    address: bytes
    channel: str
    sender: str = ""
    campaign: str = ""
    purpose: str = _UNDECLARED


@dataclass(frozen=True, slots=True)
class Block:
    """The suppression that a message meets. With `flags` it does not stop it, since its purpose is not known."""

    id: int
    cause: str
    rule: str
    since: datetime
    until: datetime | None
    flags: bool = False


def blocking(connection: Connection, account: str, asked: Sequence[Asked], now: datetime) -> list[Block | None]:
    """Return for each message, in order, the entry that blocks it, else one that flags it, else nothing.

    Only active entries count, and only until their end; an empty channel, sender or campaign stands for all. An entry
    for one purpose (marketing) blocks that purpose and flags what is undeclared. One query, however many are asked.
    """
    standing: dict[bytes, list[Any]] = {}
    moment = to_ms(now)
    for row in select_in(connection, suppressions, "address", {one.address for one in asked if one.address}):
        if row.account == account and row.state == ACTIVE and (row.until is None or row.until > moment):
            standing.setdefault(bytes(row.address), []).append(row)
    return [_first([_met(row, one) for row in standing.get(one.address, ())]) for one in asked]


def _met(row: Any, one: Asked) -> Block | None:
    scope = ((row.channel, one.channel), (row.sender, cut(one.sender, 255)), (row.campaign, cut(one.campaign, 255)))
    if not all(wanted in ("", given) for wanted, given in scope):
        return None
    block = Block(row.id, row.cause, row.rule, from_ms(row.since), from_ms(row.until) if row.until else None)
    if row.purpose in _EVERY_PURPOSE or row.purpose == one.purpose:
        return block
    return replace(block, flags=True) if one.purpose == _UNDECLARED else None


def _first(found: list[Block | None]) -> Block | None:
    """Return the oldest block, else the oldest flag."""
    return min((one for one in found if one), key=lambda one: (one.flags, one.id), default=None)
