"""Which suppression stands in the way of a resend: asked for every way that it may take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from policy import Purpose
from policy.decide import NEVER_RESENT
from store import blocks
from store.blocks import Asked, Block
from store.messages import Message
from store.resending import Resend
from store.sends import Send
from workers.actions.resend.request import Person


@dataclass(frozen=True, slots=True)
class Original:
    """What was sent first, as far as it matters here: where nobody registered it, as its reports tell of it."""

    channel: str = ""
    sender: str = ""
    campaign: str = ""
    failover: Sequence[str] = ()
    """Channels to which Infobip itself goes on."""

    @classmethod
    def of(cls, send: Send | None, message: Message | None) -> "Original":
        """Return what the register knows, or else the reports."""
        if send is None:
            return cls(message.channel, message.sender) if message else cls()
        sender = send.sender or (message.sender if message else "")
        return cls(send.channel, sender, send.campaign, send.failover)


def block_of(
    connection: Connection, one: Resend, original: Original, person: Person, purpose: Purpose, now: datetime
) -> Block | None:
    """Return what blocks it: on the way that it takes, from either sender; or what no way may follow at all.

    Where it may take several ways, as OMNI does, an obstacle on one of them leaves the others open. An opt-out and its
    like hold for the person and not for the channel that they were said on (promise 12), so those are asked for on
    every channel that it, its original, or Infobip's own failover may go over.
    """
    channel = one.channel or person.channel or original.channel
    ways = person.ways or tuple((address, channel) for address in person.hashes)
    channels = {by for _, by in ways}
    if len(channels) == 1:
        ways = tuple((address, channel) for address in person.hashes for channel in channels)
    asker = _Asker(connection, one, original, person, purpose, now)
    met = asker.ask(ways)
    stopping = [block for block in met if block is not None and not block.flags]
    if len(channels) > 1 and len(stopping) < len(met):
        stopping = []
    everywhere = channels | {*person.failover, *original.failover, original.channel}
    said = asker.ask((address, by) for address in person.hashes for by in sorted(everywhere - {""}))
    found = [*stopping, *(block for block in met if block is not None and block.flags)]
    found += [block for block in said if block is not None and block.cause in NEVER_RESENT]
    return min(found, key=lambda block: (block.flags, block.id), default=None)


class _Asker:
    """Asks the suppressions, with both senders that a message may have: the original's and the resend's own."""

    def __init__(
        self, connection: Connection, one: Resend, original: Original, person: Person, purpose: Purpose, now: datetime
    ) -> None:
        self._connection = connection
        self._account = one.account
        self._campaign = original.campaign
        self._senders = sorted({original.sender, person.sender or original.sender})
        self._purpose = purpose.value
        self._now = now

    def ask(self, ways: Iterable[tuple[bytes, str]]) -> list[Block | None]:
        """Return for each way what it meets: what blocks it, else what flags it, else nothing."""
        wanted = list(ways)
        asked = [
            Asked(address, by, who, self._campaign, self._purpose) for address, by in wanted for who in self._senders
        ]
        answers = iter(blocks.blocking(self._connection, self._account, asked, self._now))
        found = []
        for _ in wanted:
            met = [block for _ in self._senders if (block := next(answers)) is not None]
            found.append(min(met, key=lambda block: (block.flags, block.id), default=None))
        return found
