"""A send request, taken apart: who gets what, and how each part can stand alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from infobip.outbound.endpoint import Endpoint
from reports.address import normalise


class Position(NamedTuple):
    """Where a recipient stands in a request: number of the message, of the destination, and within that.

    `field` and `item` are used where a destination names several people: `to`, `cc`, `bcc` or `group`.
    """

    message: int
    destination: int
    field: str = ""
    item: int = 0


class Recipient(NamedTuple):
    """One address of a person, as the request writes it. `channel` is empty where the address fits the message's."""

    written: str
    channel: str = ""

    @property
    def address(self) -> str:
        """The one spelling that keys and look-ups use."""
        return normalise(self.written)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One person whom a request sends one message to. What may identify anybody is left out of `repr`."""

    position: Position
    recipients: tuple[Recipient, ...] = field(repr=False)
    """Usually one; several where the request gives one person's address for each channel; none for a segment."""
    message_id: str
    """As the application set it (cut where Infobip cuts it), or empty: then the answer's counts."""
    channel: str
    sender: str
    application: str
    entity: str
    campaign: str
    callback_data: str = field(repr=False)
    report_url: str = field(repr=False)
    notify: bool
    """False where the application wants no report at all."""
    validity: timedelta | None
    """How long the first step may take, at most 48 h; None where the request does not say."""
    send_at: datetime | None
    failover: tuple[str, ...]
    """Channels to which Infobip itself goes on, in order. For OMNI all its bodies; its scenario knows the order."""
    repeats: bool
    """Whether Infobip itself repeats it when it fails (a call's `retry`)."""
    shared: bool
    """Whether its message id may stand for several people."""
    obstacle: str
    """Why it can never be resent by itself, or empty."""
    size: int
    """Bytes of its message without its destinations."""

    @property
    def ways(self) -> list[tuple[str, str]]:
        """(address, channel) of all by which the person may be reached.

        Of an OMNI request any of its channels may be the first, and each takes its own address, so all are named.
        """
        channels = self.failover if self.channel == "omni" and self.failover else (self.channel,)
        own = {to.channel for to in self.recipients}
        rest = tuple(channel for channel in channels if channel not in own) or channels
        return [(to.written, channel) for to in self.recipients for channel in ((to.channel,) if to.channel else rest)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """All destinations of one request, in the request's order."""

    endpoint: Endpoint
    destinations: tuple[Destination, ...]
    bulk_id: str
    top: Mapping[str, Any] = field(repr=False, compare=False)
    """The request, parsed."""

    def at(self, position: Position) -> Destination:
        """Return the destination at `position`; raises `KeyError`."""
        for destination in self.destinations:
            if destination.position == position:
                return destination
        raise KeyError(position)
