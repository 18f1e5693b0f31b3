"""The one form that every payload family becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from codes.channels import UNKNOWN
from codes.ref import CodeRef


class Event(StrEnum):
    """What an item of a callback tells: a closed vocabulary of our own. Infobip's own word is `Report.kind`."""

    DELIVERY = "delivery"
    SEEN = "seen"
    CLICK = "click"
    INBOUND = "inbound"
    LOOKUP = "lookup"
    OTHER = "other"
    UNKNOWN = "unknown"


NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Report:
    """One item of a callback, normalised. Absent texts are empty, absent numbers and times are `None`.

    Times are aware and in UTC. `raw` is the item as it came and is never altered.
    """

    event: Event
    kind: str
    """Infobip's own name for the event: DELIVERY, SEEN, COMPLAINED, CALL_FINISHED, ..."""
    family: str
    """The payload family that read it, such as `unified` or `voice`: see `infobip.inbound`."""
    raw: Mapping[str, Any]
    account: str = "main"
    channel: str = UNKNOWN
    """One of `codes.channels.CHANNELS`."""
    own_channel: str = ""
    """The channel that the item itself names, as Infobip writes it, or empty: it tells failover legs apart."""
    message_id: str = ""
    event_id: str = ""
    bulk_id: str = ""
    recipient: str = ""
    """Normalised by `reports.address.normalise`."""
    sender: str = ""
    status: CodeRef | None = None
    error: CodeRef | None = None
    sent_at: datetime | None = None
    done_at: datetime | None = None
    event_at: datetime | None = None
    """When it happened: the first of doneAt, seenAt, deletedAt, endTime, sentAt and the like; what orders events."""
    price: str = ""
    """Price per message (per second for old voice reports) as decimal text: floats would round money."""
    currency: str = ""
    count: int | None = None
    """Parts that were billed: Infobip's messageCount or smsCount."""
    mcc_mnc: str = ""
    callback_data: str = ""
    application: str = ""
    entity: str = ""
    campaign: str = ""
    smtp: str = ""
    """The mailbox provider's raw answer, in e-mail reports."""
    detail: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """What only this family knows: a click's `url`, an inbound message's `text`, a call's `duration`."""
