"""Consent to marketing, given or taken back: Messenger's and Viber's, and WhatsApp's single objects.

Messenger and WhatsApp: Infobip OpenAPI 3.210.0. Viber publishes the name CONSENT_UPDATE, but no payload, so the
decision is looked for under the usual names.
"""

from collections.abc import Mapping
from typing import Any, Final

from infobip.inbound.assemble import address, common, first, known, with_bad_dates
from infobip.inbound.channels import choose
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import MessageSchema, Object, WireSchema
from reports import Event, Report

STOP: Final = "stop"
START: Final = "start"
DECISIONS: Final[dict[str, str]] = {
    **dict.fromkeys(("UNSUBSCRIBE", "UNSUBSCRIBED", "STOP", "OPT_OUT", "OPTED_OUT", "REVOKED", "DENIED"), STOP),
    **dict.fromkeys(("SUBSCRIBE", "SUBSCRIBED", "START", "RESUME", "OPT_IN", "OPTED_IN", "GRANTED"), START),
}


class ConsentSchema(MessageSchema):
    """Someone subscribes or unsubscribes. `from` is the person, `sender` the page."""

    identified_by = ("from_", "destination", "to")

    event = MildText()
    event_id = Text("eventId")
    destination = Text()
    created_at = Anything("createdAt")
    received_at = Anything("receivedAt")
    consent = MildText()
    status = MildText()
    action = MildText()


class PreferenceSchema(WireSchema):
    """What the person decided. `from` is the person, `sender` our number."""

    identified_by = ("from_",)

    from_ = Text("from")
    sender = MildText()
    status = MildText("notificationMessagesStatus")
    description = MildText()


class WhatsAppMarketingSchema(WireSchema):
    """WhatsApp's marketing preference. The outer `from` is our number."""

    identified_by = ("content",)

    from_ = MildText("from")
    content = Object(PreferenceSchema, strict=True)
    created_at = Anything("createdAt")


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report; `consent` is stop, start, or absent where no known word says it."""
    words = (item.event, item.consent, item.status, item.action)
    decision = next((DECISIONS[word.upper()] for word in words if word and word.upper() in DECISIONS), None)
    created_at, received_at = parse(item.created_at), parse(item.received_at)
    return Report(
        Event.OTHER,
        "CONSENT_UPDATE",
        "consent",
        raw,
        **common(item, context),
        event_id=item.event_id or "",
        recipient=address(item.from_ or item.destination or item.to),
        sender=item.sender or "",
        event_at=first(received_at, created_at),
        detail=with_bad_dates(
            known(consent=decision, word=item.event),
            createdAt=(item.created_at, created_at),
            receivedAt=(item.received_at, received_at),
        ),
    )


def to_marketing(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a WhatsApp marketing preference; `consent` is stop or start."""
    content, created_at = item.content, parse(item.created_at)
    word = content.status or ""
    return Report(
        Event.OTHER,
        "MARKETING_SUBSCRIPTION_UPDATE",
        "whatsapp-marketing",
        raw,
        account=context.account,
        channel=choose("", context.channel, "whatsapp"),
        recipient=address(content.from_),
        sender=content.sender or item.from_ or "",
        event_at=created_at,
        detail=with_bad_dates(
            known(consent=DECISIONS.get(word.upper()), word=word), createdAt=(item.created_at, created_at)
        ),
    )


FAMILY = Family(ConsentSchema(), to_report)
MARKETING_FAMILY = Family(WhatsAppMarketingSchema(), to_marketing)
