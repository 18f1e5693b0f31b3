"""One send request on its way: what it asks for, and the rows of the register that it becomes."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from infobip.outbound import Destination, Position, Sends, single
from store.blocks import Asked, Block
from store.messages import key_of
from store.sends import INTENT, LONGEST_CONTENT, Content, Send
from store.vault import Vault
from webhook.body import MIB
from webhook.opinions import Opinion

LARGEST_CONTENT: Final = MIB
_ALL_CONTENTS: Final = 32 * MIB
TOO_LARGE: Final = "its content is larger than 1 MiB and is not kept"
TOO_MUCH: Final = "the contents of its request are larger than 32 MiB together and are not all kept"
TOO_FAR: Final = "it is scheduled for later than content is kept"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the application says of a request in our own headers."""

    purpose: str = ""
    not_after: datetime | None = None
    fallback: Mapping[str, Any] | None = field(default=None, repr=False)
    """What may be sent instead, on another channel: `{"channel", "endpoint", "body"}`, checked."""


@dataclass(frozen=True)
class Order:
    """A send request that can be read. `previous` are the report URLs that ours replaces."""

    account: str
    sends: Sends
    path: str
    mark: bytes
    declared: Declared
    opinion: Opinion
    now: datetime
    previous: Mapping[Position, str] = field(default_factory=dict, repr=False)
    reports_to: str = field(default="", repr=False)
    """Our URL, where it replaces those, with `{channel}` in the channel's place."""

    @cached_property
    def purposes(self) -> dict[Position, str]:
        """What each message is for."""
        return {
            one.position: self.opinion.purpose_of(self.declared.purpose, one.campaign, one.sender, one.application)
            for one in self.sends.destinations
        }

    def asked(self, vault: Vault) -> list[tuple[Position, Asked]]:
        """Return what has to be asked of the suppressions: each address of each person, by each channel it may take."""
        return [
            (one.position, Asked(vault.hash_address(self.account, address), channel, one.sender, one.campaign, purpose))
            for one in self.sends.destinations
            for purpose in (self._counts_as(one),)
            for address, channel in one.ways
        ]

    def _counts_as(self, one: Destination) -> str:
        declared = self.declared.purpose
        return self.opinion.counts_as(self.account, declared, one.campaign, one.sender, one.application)

    def end_of(self, one: Destination) -> datetime | None:
        """Return after which moment a message is worthless: as declared, else the end of its validity."""
        if self.declared.not_after is not None or one.validity is None:
            return self.declared.not_after
        return self.leaves_at(one) + one.validity

    def keep_until(self, one: Destination) -> datetime:
        """Return how long a message's content may be needed: until the last attempt that the policy may make."""
        until = min(self.leaves_at(one) + self.opinion.longest, self.now + LONGEST_CONTENT)
        end = self.end_of(one)
        return until if end is None else min(until, end)

    def leaves_at(self, one: Destination) -> datetime:
        """Return when Infobip sends it."""
        return self.now if one.send_at is None else max(one.send_at, self.now)


@dataclass(slots=True)
class Contents:
    """The contents of one request, taken until they are too much."""

    order: Order
    _room: int = _ALL_CONTENTS

    def of(self, one: Destination) -> tuple[Content | None, str]:
        """Return a person's content, or why it is not kept."""
        if one.obstacle or self.order.keep_until(one) <= self.order.now:
            return None, one.obstacle  # it can never be sent again, so nobody needs to know what it said
        if one.send_at is not None and one.send_at - self.order.now >= LONGEST_CONTENT:
            return None, TOO_FAR
        if one.size > LARGEST_CONTENT:
            return None, TOO_LARGE
        if one.size > self._room:
            return None, TOO_MUCH
        request = single(self.order.sends, one.position)
        if len(request) > LARGEST_CONTENT:
            return None, TOO_LARGE
        self._room -= len(request)
        return Content(request, self.order.declared.fallback, self.order.reports_to), ""


@dataclass(frozen=True, slots=True)
class Fates:
    """Who of a request meets a suppression: `removed` do not get it, `flagged` do although one for marketing stands."""

    removed: Mapping[Position, Block]
    flagged: Collection[Position]


def fates(asked: list[tuple[Position, Asked]], found: list[Block | None]) -> Fates:
    """Return who is stopped: those of whom every address is, by every channel that it may take."""
    met: dict[Position, list[Block | None]] = {}
    for (position, _), block in zip(asked, found, strict=True):
        met.setdefault(position, []).append(block)
    removed = {
        position: blocks[0]
        for position, blocks in met.items()
        if blocks[0] is not None and all(block is not None and not block.flags for block in blocks)
    }
    flagged = {position for position, blocks in met.items() if position not in removed and any(blocks)}
    return Fates(removed, flagged)


def row_of(order: Order, vault: Vault, one: Destination, *, obstacle: str, report_url: bytes) -> Send:
    """Return the intent to send to one person, under a key of its own until its message has an id."""
    recipient = one.recipients[0].address if one.recipients else ""
    known = bool(one.message_id)
    return Send(
        key=key_of(vault, order.account, one.message_id, recipient) if known else os.urandom(16),
        account=order.account,
        message_id=one.message_id,
        recipient=vault.hash_address(order.account, recipient) if recipient else b"",
        channel=one.channel,
        sent_at=order.now,
        sender=one.sender,
        purpose=order.purposes[one.position],
        campaign=one.campaign,
        application=one.application,
        entity=one.entity,
        endpoint=order.sends.endpoint.name,
        path=order.path,
        state=INTENT,
        origin="proxy",
        not_after=order.end_of(one),
        failover=one.failover,
        repeats=one.repeats,
        obstacle=obstacle,
        credential=order.mark,
        report_url=report_url,
    )


def real_key(order: Order, vault: Vault, one: Destination, message_id: str) -> bytes:
    """Return the key under which reports will name the message."""
    recipient = one.recipients[0].address if one.recipients else ""
    return key_of(vault, order.account, message_id, recipient)
