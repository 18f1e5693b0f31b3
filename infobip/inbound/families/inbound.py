"""Messages that people send to us, on all channels but e-mail (Infobip OpenAPI 3.210.0)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from infobip.inbound.assemble import address, common, known, text_in, with_bad_dates
from infobip.inbound.dates import parse
from infobip.inbound.family import Context, Family
from infobip.inbound.fields import Anything, Count, MildText, Text
from infobip.inbound.schema import ContactSchema, MessageSchema, Object
from reports import Event, Report

# Where the words of a message are, by kind of content: text, a pressed button or list entry, a caption, MMS text.
_WORDS: Final = ("text", "title", "caption", "value")


class InboundSchema(MessageSchema):
    """One message. The person is in `from` (SMS, WhatsApp) or in `sender` (chat, RCS, Messages API)."""

    identified_by = ("message_id", "from_", "sender")

    destination = Text()
    integration_type = MildText("integrationType")
    received_at = Anything("receivedAt")
    text = MildText()
    clean_text = MildText("cleanText")
    keyword = MildText()
    message = Anything()
    content = Anything()
    sms_count = Count("smsCount")
    paired_message_id = MildText("pairedMessageId")
    contact = Object(ContactSchema)


def to_report(item: Any, raw: Mapping[str, Any], context: Context) -> Report:
    """Return the report: `recipient` is the person who wrote, `sender` the number or page of ours that it went to."""
    contact = item.contact
    person = item.from_ or item.sender or (contact.phone_number or contact.user_id if contact is not None else "") or ""
    received_at = parse(item.received_at)
    parts = common(item, context, own=item.channel or item.integration_type or "")
    content = _contents(item.message, item.content)
    detail = known(
        text=item.text or _words(content),
        clean_text=item.clean_text or _first(content, "cleanText"),
        keyword=item.keyword or _first(content, "keyword"),
        content_type=_first(content, "type") or _first(content, "contentType"),
        payload=_first(content, "payload") or _first(content, "postbackData"),
        paired_message_id=item.paired_message_id,
    )
    return Report(
        Event.INBOUND,
        "INBOUND_MESSAGE",
        "inbound",
        raw,
        **parts,
        recipient=address(person),
        sender=item.destination or item.to or "",
        event_at=received_at,
        count=item.sms_count,
        detail=with_bad_dates(detail, receivedAt=(item.received_at, received_at)),
    )


def _contents(*values: Any) -> list[Mapping[str, Any]]:
    parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
    return [{"text": part} if isinstance(part, str) else part for part in parts if isinstance(part, (str, Mapping))]


def _words(content: Iterable[Mapping[str, Any]]) -> str:
    found = (next((words for name in _WORDS if (words := text_in(part, name))), "") for part in content)
    return "\n".join(words for words in found if words)


def _first(content: Iterable[Mapping[str, Any]], name: str) -> str:
    return next((text for part in content if (text := text_in(part, name))), "")


FAMILY = Family(InboundSchema(), to_report)
