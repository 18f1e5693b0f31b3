"""Whether a suppression stands in the way of a message: the one definition, whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from store.moments import from_ms, to_ms
from store.parts import in_parts
from store.schema import suppressions
from store.suppressions import ACTIVE, HELD, PROPOSED, cut
from store.writes import select_in

# What a suppression's purpose says where it is for messages of every kind.
_EVERY_PURPOSE: Final = ("", "all")
_UNDECLARED: Final = "undeclared"
_ASKED_OF: Final = (
    "id", "account", "address", "channel", "sender", "campaign", "purpose", "cause", "rule", "state", "since", "until"
)  # fmt: skip
# Databases bound how many parameters one statement may have.
_AT_ONCE: Final = 10_000


class Asked(NamedTuple):
    """One message about to leave. `address` is the recipient's hash (`Vault.hash_address`)."""

    address: bytes
    channel: str
    sender: str = ""
    campaign: str = ""
    purpose: str = _UNDECLARED


@dataclass(frozen=True, slots=True)
class Block:
    """The suppression that a message meets.

    With `flags` it does not stop it, since the message's purpose is not known; neither does it in another `state` than
    active: `held` and `proposed` wait for a person.
    """

    id: int
    cause: str
    rule: str
    since: datetime
    until: datetime | None
    flags: bool = False
    state: str = ACTIVE

    @property
    def stops(self) -> bool:
        """Whether the message must not leave."""
        return self.state == ACTIVE and not self.flags


def blocking(connection: Connection, account: str, asked: Sequence[Asked], now: datetime) -> list[Block | None]:
    """Return for each message, in order, the entry that blocks it, else one that flags it, else nothing.

    Only active entries count, and only until their end; an empty channel, sender or campaign stands for all. An entry
    for one purpose (marketing) blocks that purpose and flags what is undeclared. One query, however many are asked.
    """
    return [
        next((block for block in found if block.state == ACTIVE), None)
        for found in look_up(connection, account, asked, now)
    ]


def look_up(connection: Connection, account: str, asked: Sequence[Asked], now: datetime) -> list[list[Block]]:
    """Return for each message, in order, all that it meets, what waits for a person included.

    The first is the one to act on: the oldest that blocks, else one that flags, else what is held or proposed.
    """
    standing = _standing(connection, account, asked, to_ms(now))
    return [_met_by(standing.get(one.address, ()), one) if one.address in standing else [] for one in asked]


def _met_by(rows: Sequence[Any], one: Asked) -> list[Block]:
    found = [block for row in rows if (block := _met(row, one)) is not None]
    return sorted(found, key=lambda block: (block.state != ACTIVE, block.flags, block.id))


def _standing(connection: Connection, account: str, asked: Sequence[Asked], now_ms: int) -> dict[bytes, list[Any]]:
    found: dict[bytes, list[Any]] = {}
    for part in in_parts(sorted({one.address for one in asked if one.address}), _AT_ONCE):
        for row in select_in(connection, suppressions, "address", part, columns=_ASKED_OF):
            lives = row.until is None or row.until > now_ms
            if row.account == account and lives and row.state in (ACTIVE, HELD, PROPOSED):
                found.setdefault(bytes(row.address), []).append(row)
    return found


def _met(row: Any, one: Asked) -> Block | None:
    scope = ((row.channel, one.channel), (row.sender, cut(one.sender, 255)), (row.campaign, cut(one.campaign, 255)))
    if not all(wanted in ("", given) for wanted, given in scope):
        return None
    until = from_ms(row.until) if row.until else None
    block = Block(row.id, row.cause, row.rule, from_ms(row.since), until, state=row.state)
    if row.purpose in _EVERY_PURPOSE or row.purpose == one.purpose:
        return block
    return replace(block, flags=True) if one.purpose == _UNDECLARED else None
