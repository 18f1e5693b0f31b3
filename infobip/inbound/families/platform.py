"""Platform events (registrations, senders, resources, queries), and whatever else Infobip sends that is new to us."""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import address, common, first, known, text_in, with_bad_dates
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, MildText
from infobip.inbound.schema import MessageSchema
from reports import Event, Report


class PlatformEventSchema(MessageSchema):
    """An item of which nothing is certain: no member is strict, so nothing new is ever refused."""

    message_id = MildText("messageId")
    bulk_id = MildText("bulkId")
    to = MildText()
    destination = MildText()
    event = MildText()
    event_id = MildText("eventId")
    type = MildText()
    request_id = MildText("requestId")
    content = Anything()
    updated_at = Anything("updatedAt")
    created_at = Anything("createdAt")
    received_at = Anything("receivedAt")
    timestamp = Anything()
    sender_name = MildText("senderName")
    sender_status = MildText("senderStatus")
    test_number_status = MildText("testNumberStatus")


def to_platform(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a known platform event."""
    return _report(Event.OTHER, "platform", item, raw, context)


def to_unknown(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of something new: it is kept and shown, and nothing is done about it."""
    return _report(Event.UNKNOWN, "unknown", item, raw, context)


def _report(event: Event, family: str, item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    dates = {
        name: (value, parse(value))
        for name, value in (
            ("receivedAt", item.received_at),
            ("timestamp", item.timestamp),
            ("createdAt", item.created_at),
            ("updatedAt", item.updated_at),
            ("sentAt", item.sent_at),
        )
    }
    detail = known(
        subject=item.sender_name or text_in(item.content, "id") or text_in(item.content, "name"),
        subject_type=text_in(item.content, "type"),
        status=item.test_number_status or item.sender_status or text_in(item.content, "status"),
    )
    kind = (item.event or item.type or (item.request_id and "QUERY_RESULT") or "UNKNOWN").strip().upper()
    return Report(
        event,
        kind[:100],
        family,
        raw,
        **common(item, context),
        event_id=item.event_id or "",
        recipient=address(item.to or item.destination),
        sender=item.sender or item.from_ or "",
        event_at=first(*(moment for _, moment in dates.values())),
        detail=with_bad_dates(detail, **dates),
    )


FAMILY = Family(PlatformEventSchema(), to_platform)
UNKNOWN_FAMILY = Family(PlatformEventSchema(), to_unknown)
