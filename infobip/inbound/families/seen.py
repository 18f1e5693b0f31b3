"""Seen reports and their older relatives, deleted reports (Infobip OpenAPI 3.210.0; `deletedAt` by a third party).

Nothing says reliably which side is which: the descriptions call `from` the reader, the examples of WhatsApp, OMNI and
TikTok put the reader in `to`, Messenger's in `from`. The contact decides where there is one.
"""

from collections.abc import Mapping
from typing import Any

from infobip.inbound.assemble import address, common, first, with_bad_dates
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, Text
from infobip.inbound.schema import ContactSchema, MessageSchema, Object
from reports import NOTHING, Event, Report


class SeenSchema(MessageSchema):
    """A message was seen, or deleted. OMNI writes `sendAt`; Messages API writes `sender` and `destination`."""

    identified_by = ("message_id", "to", "destination", "from_")

    destination = Text()
    send_at = Anything("sendAt")
    seen_at = Anything("seenAt")
    deleted_at = Anything("deletedAt")
    contact = Object(ContactSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a seen message; `recipient` is who saw it, `sender` the other side."""
    return _report(Event.SEEN, "SEEN", "seen", item, raw, context)


def to_deleted(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report of a deleted message."""
    return _report(Event.OTHER, "DELETED", "deleted", item, raw, context)


def _report(event: Event, kind: str, family: str, item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    contact = item.contact
    parts = common(item, context, proven="whatsapp" if contact is not None else "")
    theirs, ours = item.destination or item.to or "", item.sender or item.from_ or ""
    if contact is not None and contact.phone_number:
        if address(contact.phone_number) == address(ours):
            ours = theirs
        theirs = contact.phone_number
    elif parts["channel"] == "messenger" and not item.destination:
        theirs, ours = ours, theirs
    sent = item.sent_at or item.send_at
    sent_at, seen_at, deleted_at = parse(sent), parse(item.seen_at), parse(item.deleted_at)
    return Report(
        event,
        kind,
        family,
        raw,
        **parts,
        recipient=address(theirs),
        sender=ours,
        sent_at=sent_at,
        event_at=first(seen_at, deleted_at, sent_at),
        detail=with_bad_dates(
            NOTHING,
            sentAt=(sent, sent_at),
            seenAt=(item.seen_at, seen_at),
            deletedAt=(item.deleted_at, deleted_at),
        ),
    )


FAMILY = Family(SeenSchema(), to_report)
DELETED_FAMILY = Family(SeenSchema(), to_deleted)
