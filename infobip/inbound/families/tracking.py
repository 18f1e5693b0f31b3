"""Tracking notifications: opens, clicks, complaints, unsubscribes and late bounces (Infobip OpenAPI 3.210.0).

E-mail, SMS with MMS, and Messenger each have a shape; in all of them `sendDateTime` is in epoch milliseconds.
"""

from collections.abc import Mapping
from typing import Any, Final

from infobip.inbound.assemble import address, common, first, known, text_in, with_bad_dates
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText, Text
from infobip.inbound.schema import MessageSchema
from reports import Event, Report

# Infobip's word (and the subscription's word for the same) -> what it is to us, and the word that we keep.
KINDS: Final[dict[str, tuple[Event, str]]] = {
    "OPENED": (Event.SEEN, "OPENED"),
    "OPEN": (Event.SEEN, "OPENED"),
    "CLICKED": (Event.CLICK, "CLICKED"),
    "CLICK": (Event.CLICK, "CLICKED"),
    "MARKETING_CLICK": (Event.CLICK, "MARKETING_CLICK"),
    "COMPLAINED": (Event.OTHER, "COMPLAINED"),
    "COMPLAINT": (Event.OTHER, "COMPLAINED"),
    "LATE_BOUNCE": (Event.OTHER, "LATE_BOUNCE"),
    "UNSUBSCRIBED": (Event.OTHER, "UNSUBSCRIBED"),
    "UNSUBSCRIBE": (Event.OTHER, "UNSUBSCRIBED"),
}


class TrackingSchema(MessageSchema):
    """Something happened to a message after its delivery."""

    identified_by = ("message_id", "recipient", "destination", "to", "from_")

    notification_type = MildText("notificationType")
    event = MildText()
    event_id = Text("eventId")
    recipient = Text()
    destination = Text()
    url = MildText()
    domain = MildText()
    send_time = Anything("sendDateTime")
    clicked_at = Anything("clickedAt")
    campaign_id = MildText("campaignId")
    recipient_info = Anything("recipientInfo")
    geo_location = Anything("geoLocation")
    geo_location_info = Anything("geoLocationInfo")


def to_email_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of an e-mail's open, click, complaint, late bounce or unsubscribe."""
    return _report("email-tracking", item, raw, context, "email", item.recipient or item.to)


def to_click_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a click on a link in an SMS or MMS, which look the same."""
    return _report("click", item, raw, context, "", item.recipient or item.destination or item.to)


def to_marketing_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a click on a Messenger marketing message: `from` is the person, `to` our page."""
    return _report("marketing-click", item, raw, context, "messenger", item.from_, item.to or "")


def _report(
    family: str,
    item: Any,
    raw: Mapping[str, Any],
    context: Context,
    proven: str,
    person: str | None,
    ours: str | None = None,
) -> Report:
    word = (item.notification_type or item.event or "").strip().upper()
    event, kind = KINDS.get(word, (Event.UNKNOWN, word or "UNKNOWN"))
    clicked_at, send_time, sent_at = parse(item.clicked_at), parse(item.send_time), parse(item.sent_at)
    geo = item.geo_location or item.geo_location_info
    detail = known(
        url=item.url,
        domain=item.domain,
        device=text_in(item.recipient_info, "deviceType"),
        os=text_in(item.recipient_info, "os"),
        city=text_in(geo, "city"),
        country=text_in(geo, "countryName") or text_in(geo, "country_name"),
    )
    parts = common(item, context, proven=proven)
    parts["campaign"] = parts["campaign"] or item.campaign_id or ""
    return Report(
        event,
        kind,
        family,
        raw,
        **parts,
        event_id=item.event_id or "",
        recipient=address(person),
        sender=(item.sender or item.from_ or "") if ours is None else ours,
        sent_at=sent_at,
        event_at=first(clicked_at, send_time, sent_at),
        detail=with_bad_dates(
            detail, clickedAt=(item.clicked_at, clicked_at), sendDateTime=(item.send_time, send_time)
        ),
    )


EMAIL_FAMILY = Family(TrackingSchema(), to_email_report)
CLICK_FAMILY = Family(TrackingSchema(), to_click_report)
MARKETING_FAMILY = Family(TrackingSchema(), to_marketing_report)
