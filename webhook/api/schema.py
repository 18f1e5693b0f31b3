"""One entry of the register, as applications tell it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from codes.suggest import did_you_mean
from infobip.inbound import dates
from infobip.outbound.endpoint import LONGEST_ID
from infobip.outbound.wire import Number, text
from reports.recipient import fault_of_sent
from webhook.opinions import PURPOSES
from webhook.suppress_words import SENT_ON

_ZONE: Final = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_LONGEST: Final = 255
_AHEAD: Final = timedelta(minutes=10)


class Words(fields.Field[str]):
    """A text, or a number as its text: ids and phone numbers come as both."""

    def __init__(self, most: int = _LONGEST, least: int = 1, **more: Any) -> None:
        super().__init__(validate=validate.Length(least, most), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, (str, Number)):
            raise ValidationError("It is no text.")
        return text(value).strip()


class When(fields.Field[datetime]):
    """A point in time with its zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        moment = dates.parse(value) if isinstance(value, str) and _ZONE.search(value) else None
        if moment is None:
            raise ValidationError("It is no point in time with a zone.")
        return moment


class OneOf(Words):
    """One of a few words."""

    def __init__(self, known: tuple[str, ...], **more: Any) -> None:
        super().__init__(**more)
        self.known = known

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        word = super()._deserialize(value, attr, data, **more).lower()
        if word not in self.known:
            raise ValidationError(f"There is no such word. {did_you_mean(word, self.known)}")
        return word


class Tree(fields.Field[Any]):
    """Any JSON, left as it is."""


class ContentSchema(Schema):
    """A complete request to one of Infobip's send endpoints."""

    class Meta:
        unknown = RAISE

    endpoint = Words(required=True)
    body = Tree(required=True)


class FallbackSchema(ContentSchema):
    """What is sent instead, on another channel."""

    channel = Words()


class SendSchema(Schema):
    """One message to one person."""

    class Meta:
        unknown = RAISE

    message_id = Words(LONGEST_ID, required=True, data_key="messageId")
    to = Words(required=True)
    channel = OneOf(SENT_ON, required=True)
    sender = Words(load_default="")
    purpose = OneOf(PURPOSES, load_default="")
    not_after = When(load_default=None, data_key="notAfter")
    sent_at = When(load_default=None, data_key="sentAt")
    campaign = Words(load_default="")
    application = Words(load_default="", data_key="applicationId")
    entity = Words(load_default="", data_key="entityId")
    content = fields.Nested(ContentSchema, load_default=None)
    fallback = fields.Nested(FallbackSchema, load_default=None)
    failover = fields.List(OneOf(SENT_ON), load_default=list)

    @validates_schema
    def _recipient(self, data: dict[str, Any], **_: Any) -> None:
        if fault := fault_of_sent(data["to"], data["channel"]):
            raise ValidationError(fault, "to")

    @validates_schema
    def _fallback_needs_content(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("fallback") is not None and data.get("content") is None:
            raise ValidationError("It is kept beside the content only: send the content as well.", "fallback")

    @validates_schema
    def _times(self, data: dict[str, Any], **_: Any) -> None:
        sent, end = data.get("sent_at"), data.get("not_after")
        if sent is not None and sent > datetime.now(UTC) + _AHEAD:
            raise ValidationError("It lies in the future; leave it out where the message has not left yet.", "sentAt")
        if sent is not None and end is not None and end < sent:
            raise ValidationError("It lies before sentAt.", "notAfter")


FIXES: Final = {
    "messageId": f"Write the id under which the message was sent, of 1 to {LONGEST_ID} characters.",
    "to": "Write the one recipient as the send has it: a number such as 447700900123, an address, or the channel's id.",
    "channel": "Write the channel, such as sms.",
    "purpose": f"Write one of {', '.join(PURPOSES)}.",
    "notAfter": "Write it like 2026-11-24T10:00:00Z, after sentAt.",
    "sentAt": "Write it like 2026-11-24T10:00:00Z.",
    "content": 'Write {"endpoint": "/sms/3/messages", "body": {...}}: one whole request with one recipient.',
    "fallback": 'Write {"channel": "voice", "endpoint": "/tts/3/advanced", "body": {...}} beside the content.',
    "failover": "Write a list of channels.",
}
"""What to do about a fault, by field; other fields take a text."""
NAMES: Final = tuple(sorted(field.data_key or name for name, field in SendSchema().fields.items()))
