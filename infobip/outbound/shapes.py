"""Where each family of send endpoints keeps what we read and change: member names as data.

Sources: OUTBOUND 1.1 to 1.7 and the request schemas of Infobip's OpenAPI 3.210.0. A path leads from a message; where a
request is one message, or keeps something beside its messages, the same path is looked for at the top as well.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from infobip.outbound.wire import Path


class Spread(StrEnum):
    """How a message names its recipients."""

    LIST = "list"
    """`destinations`: objects, each with `to`, `byChannel`, `group` or one of push's four ids."""
    SELF = "self"
    """The message itself has `to` and `messageId`."""
    STRINGS = "strings"
    """`to` is a list of numbers."""
    EMAIL = "email"
    """`destinations`: objects with lists `to`, `cc` and `bcc`."""
    MIME = "mime"
    """`destinations` is a list of addresses, else the header of the MIME message counts."""
    PARTS = "parts"
    """Form fields `to`, `cc` and `bcc`, repeated, each an address or a JSON object."""


class Bound(StrEnum):
    """How a validity is written."""

    NONE = "none"
    PERIOD = "period"
    """`{"amount": 5, "timeUnit": "MINUTES"}`"""
    MINUTES = "minutes"
    """A whole number of minutes."""
    BODIES = "bodies"
    """In each channel's own body: `validityPeriod` and `validityPeriodTimeUnit` (OMNI)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The form of one family of requests. An empty path means that there is no such member."""

    messages: bool = True
    """Whether messages are in a list `messages`; else the request is one message."""
    spread: Spread = Spread.LIST
    sender: Path = ()
    report_url: Path = ()
    notify: Path = ()
    callback_data: Path = ()
    application: Path = ()
    entity: Path = ()
    campaign: Path = ()
    bound: Bound = Bound.NONE
    validity: Path = ()
    voids_validity: Path = ()
    """What makes Infobip ignore a validity."""
    send_at: tuple[Path, ...] = ()
    bulk_id: Path = ()
    of_the_batch: tuple[Path, ...] = ()
    """What belongs to the one request and not to its messages: dropped from a resend."""
    retry: Path = ()
    """Where Infobip's own repetition of a failed call is switched on."""


UNIFIED: Final = Shape(
    sender=("sender",),
    report_url=("webhooks", "delivery", "url"),
    notify=("webhooks", "delivery", "notify"),
    callback_data=("webhooks", "callbackData"),
    application=("options", "platform", "applicationId"),
    entity=("options", "platform", "entityId"),
    campaign=("options", "campaignReferenceId"),
    bound=Bound.PERIOD,
    validity=("options", "validityPeriod"),
    send_at=(("options", "schedule", "sendAt"),),
    bulk_id=("options", "schedule", "bulkId"),
    of_the_batch=(("options", "schedule"),),
)

# Push alone has a time of its own in each message as well.
PUSH: Final = replace(
    UNIFIED,
    send_at=(("options", "sendAt"), ("options", "schedule", "sendAt")),
    of_the_batch=(("options", "sendAt"), ("options", "schedule")),
)

EMAIL: Final = replace(UNIFIED, spread=Spread.EMAIL)

LEGACY: Final = Shape(
    sender=("from",),
    report_url=("notifyUrl",),
    callback_data=("callbackData",),
    application=("applicationId",),
    entity=("entityId",),
    campaign=("campaignReferenceId",),
    bound=Bound.MINUTES,
    validity=("validityPeriod",),
    send_at=(("sendAt",),),
    bulk_id=("bulkId",),
    of_the_batch=(("bulkId",), ("sendAt",), ("sendingSpeed",), ("sendingSpeedLimit",)),
)

# OUTBOUND 1.1. A resend has no speed, and so a validity again.
VOICE: Final = replace(LEGACY, retry=("retry",), voids_validity=("sendingSpeed",))
TTS_SINGLE: Final = Shape(messages=False, spread=Spread.SELF, sender=("from",))
TTS_MULTI: Final = Shape(spread=Spread.STRINGS, sender=("from",))

WHATSAPP_TEMPLATE: Final = replace(LEGACY, spread=Spread.SELF, bound=Bound.NONE, validity=())
WHATSAPP: Final = replace(WHATSAPP_TEMPLATE, messages=False)

OMNI: Final = replace(LEGACY, messages=False, sender=(), notify=("notify",), bound=Bound.BODIES, validity=())

MIME: Final = replace(WHATSAPP, spread=Spread.MIME)
FORM: Final = replace(WHATSAPP, spread=Spread.PARTS)
