"""The send endpoints, as data: one table for the routes, the requests, the answers and the reports.

Sources: OUTBOUND facts 1 and 2, `api-bodies`. This table knows nothing of the product's own client, on purpose: what
one of the two has wrong shows at the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from infobip.simulator.errors import Shape
from infobip.simulator.requests_current import read_email, read_messages_api, read_push, read_unified
from infobip.simulator.requests_legacy import (
    read_email_form,
    read_omni,
    read_sms,
    read_voice,
    read_voice_single,
    read_whatsapp,
    read_whatsapp_templates,
)
from infobip.simulator.submission import Batch

_ACCEPTED: Final = 26
_ENROUTE: Final = 7


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One `POST` that sends.

    `reports` names the shape of its delivery reports (`shapes`), `accepted` the status of a message that was taken,
    under `accepted_name` where the endpoint has a name of its own for it. `address` is the member of an answer that
    repeats the recipient, `flat` an answer about one message without a list. `bulk` is when a bulk id is answered
    though none was given: `always`, `several` (recipients), or `never`. `rate` is requests and seconds.
    """

    path: str
    channel: str
    read: Callable[[Any], Batch]
    reports: str = "unified"
    address: str = "destination"
    accepted: int = _ACCEPTED
    accepted_name: str = ""
    flat: bool = False
    bulk: str = "always"
    errors: Shape = Shape.API
    form: bool = False
    counts_parts: bool = False
    has_count: bool = False
    rate: tuple[int, float] | None = None


def _sms2(path: str) -> Endpoint:
    return Endpoint(path, "sms", read_sms, "sms-legacy", "to", errors=Shape.LEGACY, bulk="always")


def _voice(path: str, read: Callable[[Any], Batch]) -> Endpoint:
    return Endpoint(path, "voice", read, "voice", "to", errors=Shape.LEGACY, rate=(2000, 1.0))


def _chat(path: str, channel: str, reports: str = "unified") -> Endpoint:
    return Endpoint(path, channel, read_unified, reports)


ENDPOINTS: Final = (
    Endpoint("/sms/3/messages", "sms", read_unified, counts_parts=True),
    _sms2("/sms/2/text/advanced"),
    _sms2("/sms/2/binary/advanced"),
    Endpoint("/email/4/messages", "email", read_email, "email", accepted=_ENROUTE, rate=(4000, 1.0)),
    Endpoint(
        "/email/3/send", "email", read_email_form, "email", "to", errors=Shape.LEGACY, form=True, rate=(4000, 1.0)
    ),
    _voice("/tts/3/advanced", read_voice),
    _voice("/tts/3/single", read_voice_single),
    _voice("/voice/ivr/1/messages", read_voice),
    Endpoint(
        "/whatsapp/1/message/template",
        "whatsapp",
        read_whatsapp_templates,
        "whatsapp",
        "to",
        accepted=_ENROUTE,
        errors=Shape.LEGACY,
        has_count=True,
        rate=(4000, 1.0),
    ),
    Endpoint(
        "/whatsapp/1/message/<path:kind>",
        "whatsapp",
        read_whatsapp,
        "whatsapp",
        "to",
        accepted=_ENROUTE,
        flat=True,
        bulk="never",
        errors=Shape.LEGACY,
        has_count=True,
        rate=(4000, 1.0),
    ),
    Endpoint("/mms/2/messages", "mms", read_unified),
    Endpoint("/viber/2/messages", "viber", read_unified),
    Endpoint("/rcs/2/messages", "rcs", read_unified, "rcs"),
    Endpoint(
        "/messages-api/1/messages", "messages-api", read_messages_api, "messages-api", accepted_name="MESSAGE_ACCEPTED"
    ),
    Endpoint("/push/3/messages", "push", read_push, accepted=_ENROUTE, rate=(2500, 1.0)),
    Endpoint(
        "/omni/1/advanced",
        "omni",
        read_omni,
        "omni",
        "to",
        accepted=_ENROUTE,
        bulk="several",
        errors=Shape.LEGACY,
    ),
    _chat("/zalo/2/messages", "zalo", "zalo"),
    _chat("/line/1/messages", "line"),
    _chat("/kakao-alim/1/messages", "kakao"),
    _chat("/messenger/1/messages", "messenger"),
    _chat("/instagram/1/messages", "instagram"),
    _chat("/apple-mfb/1/messages", "apple"),
    _chat("/tiktok/1/messages", "tiktok"),
)

WHATSAPP_KINDS: Final = frozenset(
    "text image document video audio sticker location contact interactive/buttons interactive/list interactive/product"
    " interactive/multi-product interactive/location-request interactive/url-button interactive/order-details"
    " interactive/order-status interactive/flow interactive/catalog interactive/carousel".split()
)
"""The kinds of single WhatsApp messages that have an address of their own."""
