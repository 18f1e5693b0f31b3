"""What can be subscribed to (INBOUND facts 3, OUTBOUND facts 5): Infobip's channels and the names of their events.

A channel that is not here has no event for delivery reports that Infobip's reference names; sends on it have to carry a
report URL of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SubscribedChannel:
    """One channel. `slug` stands in our URL, `name` in Infobip's."""

    slug: str
    name: str
    events: tuple[str, ...]
    """What decisions hang on: subscribed to always."""
    inbound: tuple[str, ...] = ()
    """What people write: opt-out words come so, but perhaps another system of the customer's lives on it."""
    tracking: tuple[str, ...] = ()
    """Clicks and openings: no decision hangs on them."""

    def wanted(self, *, inbound: bool, tracking: bool) -> tuple[str, ...]:
        """Return the events to subscribe to."""
        return (*self.events, *(self.inbound if inbound else ()), *(self.tracking if tracking else ()))


_INBOUND: Final = ("INBOUND_MESSAGE",)
_CLICK: Final = ("CLICK",)
_EMAIL: Final = (
    "DELIVERY",
    "LATE_BOUNCE",
    "COMPLAINT",
    "UNSUBSCRIBE",
    "HIGH_BOUNCE_RATE_WARNING",
    "HIGH_BOUNCE_RATE_BLOCKED",
)
_WHATSAPP: Final = ("DELIVERY", "SEEN", "IDENTITY_CHANGE", "MARKETING_SUBSCRIPTION_UPDATE")
_SEEN: Final = ("DELIVERY", "SEEN")
_CONSENT: Final = ("DELIVERY", "SEEN", "CONSENT_UPDATE")
_DELIVERY: Final = ("DELIVERY",)

_ROWS: Final = (
    #                 slug           Infobip's name                  always       inbound   tracking
    SubscribedChannel("sms", "SMS", _DELIVERY, _INBOUND, _CLICK),
    SubscribedChannel("mms", "MMS", _DELIVERY, _INBOUND, _CLICK),
    SubscribedChannel("email", "EMAIL", _EMAIL, (), ("OPEN", "CLICK")),
    SubscribedChannel("whatsapp", "WHATSAPP", _WHATSAPP, _INBOUND, _CLICK),
    SubscribedChannel("viber", "VIBER", _CONSENT, _INBOUND, _CLICK),
    SubscribedChannel("rcs", "RCS", _SEEN, _INBOUND, _CLICK),
    SubscribedChannel("messenger", "FACEBOOK", _CONSENT, _INBOUND, _CLICK),
    SubscribedChannel("line", "LINE", _DELIVERY, _INBOUND),
    SubscribedChannel("zalo", "ZALO", _DELIVERY, _INBOUND, _CLICK),
    SubscribedChannel("apple", "APPLE_MESSAGES_FOR_BUSINESS", _DELIVERY, _INBOUND),
    SubscribedChannel("kakao", "KAKAO_ALIM", _DELIVERY),
    SubscribedChannel("kakao-brand", "KAKAO_BRAND_MESSAGE", _DELIVERY, (), _CLICK),
    SubscribedChannel("push", "MOBILE_PUSH", _SEEN),
    SubscribedChannel("web-push", "WEB_PUSH", _DELIVERY),
    SubscribedChannel("blocklist", "BLOCKLIST", ("BLOCK", "UNBLOCK")),
)
SUBSCRIBED: Final[Mapping[str, SubscribedChannel]] = {row.slug: row for row in _ROWS}
