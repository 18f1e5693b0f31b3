"""Bodies as Infobip posts them, with fictional people: what `dlr sample` prints and `dlr doctor --public` sends."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, Final, NamedTuple

from codes import Row

Values = dict[str, Any]
# Ofcom's numbers for drama begin so, and nobody ever gets one.
_NUMBERS: Final = "447700900"
_CALLER: Final = "442079460001"
_DELIVERED: Final = "delivered"


class Item(NamedTuple):
    """What one item of a sample tells. `place` counts from 0."""

    status: Row | None
    error: Row | None
    channel: str
    place: int
    run: str
    now: datetime

    @property
    def recipient(self) -> str:
        """A fictional address of the kind that the channel has."""
        number = f"{int(self.run[:6], 16) % 900 + self.place:03d}"[-3:]
        kind = _ADDRESSES.get(self.channel)
        return kind.format(number=number) if kind else f"{_NUMBERS}{number}"

    @property
    def message_id(self) -> str:
        """An id that no other sample has."""
        return f"sample-{self.run}-{self.place + 1}"

    @property
    def codes(self) -> Values:
        """The status and error objects, as far as there are any."""
        return {kind: _code(row) for kind, row in (("status", self.status), ("error", self.error)) if row is not None}

    @property
    def is_delivered(self) -> bool:
        """Whether the status says so."""
        return self.status is not None and self.status.cause == _DELIVERED

    def ago(self, seconds: float) -> str:
        """Return a moment before the present as Infobip writes it."""
        moment = self.now - timedelta(seconds=seconds)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


_ADDRESSES: Final = {
    "email": "reader{number}@example.com",
    "push": "c0ffee00-aaaa-4bbb-8ccc-000000000{number}",
    "web-push": "c0ffee00-aaaa-4bbb-8ccc-000000000{number}",
    "apple": "7b1f5d0e-31c4-4d0b-9a31-000000000{number}",
    "live-chat": "visitor-{number}",
    "messenger": "5550001112223{number}",
    "instagram": "5550001112223{number}",
    "telegram": "chat-{number}",
    "line": "Uexample0000{number}",
    "tiktok": "uFictionalUser{number}",
    "open-channel": "user-{number}",
    "viber-bot": "fictionalViberUser{number}==",
}


def _code(row: Row) -> Values:
    found: Values = {"groupId": row.group_id, "groupName": row.group or None, "id": row.id, "name": row.name}
    found["description"] = row.name.replace("EC_", "").replace("_", " ").capitalize()
    if row.kind == "error":
        found["permanent"] = row.permanent
    return {name: value for name, value in found.items() if value is not None}


def _unified(item: Item) -> Values:
    return {
        "bulkId": f"sample-{item.run}",
        "price": {"pricePerMessage": 0.0421 if item.is_delivered else 0, "currency": "EUR"},
        **item.codes,
        "messageId": item.message_id,
        "to": item.recipient,
        "sender": "Example",
        "sentAt": item.ago(4),
        "doneAt": item.ago(1),
        "messageCount": 1,
        "callbackData": f"order={5512 + item.place}",
        "platform": {"entityId": "shop-example", "applicationId": "orders"},
    }


def _sms(item: Item) -> Values:
    return {**_unified(item), "mccMnc": "23410"}


def _mms(item: Item) -> Values:
    return {**_without(_sms(item), "messageCount", "sender", "platform"), "smsCount": 1, "applicationId": "parcels"}


def _email(item: Item) -> Values:
    smtp = {"smtp": {"response": "250 2.0.0 queued as example"}} if item.is_delivered else {}
    mail = {"smsCount": 1, "attemptCount": 1, "timeToFirstAttempt": 431, "sendingIp": "192.0.2.17", **smtp}
    return {**_without(_unified(item), "messageCount", "sender", "platform"), **mail, "applicationId": "letters"}


def _voice(item: Item) -> Values:
    call = {"feature": "Text-to-Speech", "startTime": item.ago(20), "endTime": item.ago(1), "duration": 0}
    if item.is_delivered:
        call |= {"answerTime": item.ago(12), "duration": 11, "chargedDuration": 60}
    price = {"pricePerSecond": 0.002, "currency": "EUR"}
    kept = _without(_sms(item), "messageCount", "sender", "doneAt", "platform")
    return {**kept, "from": _CALLER, "price": price, "voiceCall": call}


def _rcs(item: Item) -> Values:
    return {**_sms(item), "conversation": {"canInitiate": True, "id": ""}, "interactionType": "BASIC_MESSAGE"}


def _whatsapp(item: Item) -> Values:
    contact = {"name": "Ada Example", "phoneNumber": item.recipient, "userId": f"GB.{item.recipient[-6:]}"}
    return {**_without(_unified(item), "sender", "platform", "callbackData"), "contact": contact}


def _zalo(item: Item) -> Values:
    return {**_without(_unified(item), "sender", "platform"), "channel": "ZALO_NOTIFICATION_SERVICE"}


def _messages_api(item: Item) -> Values:
    kept = _without(_sms(item), "to", "price")
    return {"event": "DELIVERY", "channel": "SMS", **kept, "destination": item.recipient, "mccMnc": 23410}


def _omni(item: Item) -> Values:
    return {**_without(_unified(item), "sender", "platform"), "channel": "SMS"}


def _number_lookup(item: Item) -> Values:
    network = {"networkName": "Example Mobile", "countryName": "United Kingdom", "countryPrefix": "44"}
    return {"to": item.recipient, "mccMnc": "23410", "originalNetwork": network, "ported": False, **item.codes}


def _mobile_identity(item: Item) -> Values:
    error = {"error": item.codes["error"]} if item.error is not None and item.error.cause != _DELIVERED else {}
    return {"token": item.message_id, "result": "FALSE" if error else "TRUE", **error}


def _calls(item: Item) -> Values:
    log = {"callId": item.message_id, "from": _CALLER, "to": item.recipient, "direction": "OUTBOUND", "duration": 0}
    properties = {"callLog": log, **({"errorCode": item.codes["error"]} if item.error is not None else {})}
    call = {"callId": item.message_id, "callsConfigurationId": "example", "timestamp": item.ago(1)}
    return {"type": "CALL_FINISHED", **call, "properties": properties}


def _blocklist(item: Item) -> Values:
    content = {"sender": "Example", "destination": item.recipient, "channel": "SMS", "sourceType": "URL_OPT_OUT"}
    return {"event": "BLOCK", "receivedAt": item.ago(1), "messageId": item.message_id, "content": content}


def _without(values: Mapping[str, Any], *names: str) -> Values:
    return {name: value for name, value in values.items() if name not in names}


class Family(NamedTuple):
    """How a channel's reports look. `root` and `child` are those of XML; without them there is none."""

    make: Callable[[Item], Values]
    root: str = "DeliveryReports"
    child: str = "result"
    kinds: tuple[str, ...] = ("status", "error")
    """Which codes its items carry."""
    alone: bool = False
    """Whether each item is a body of its own."""


_DEFAULT: Final = Family(_unified)
FAMILIES: Final[Mapping[str, Family]] = {
    "sms": Family(_sms),
    "mms": Family(_mms, "MmsReportRequest", "results"),
    "email": Family(_email, "EmailReports"),
    "voice": Family(_voice, "reportResponse", "results"),
    "calls": Family(_calls, "", kinds=("error",), alone=True),
    "whatsapp": Family(_whatsapp),
    "rcs": Family(_rcs, "RcsWebhookDeliveryReports"),
    "zalo": Family(_zalo, "ZaloReportRequest", "results"),
    "messages-api": Family(_messages_api, "MessagesApiDeliveryReportResponse", "results"),
    "omni": Family(_omni),
    "number-lookup": Family(_number_lookup, "ncResponse"),
    "mobile-identity": Family(_mobile_identity, "", kinds=("error",), alone=True),
    "blocklist": Family(_blocklist, "", kinds=()),
}


def family_of(channel: str) -> Family:
    """Return how a channel's reports look."""
    return FAMILIES.get(channel, _DEFAULT)


def make_items(channel: str, status: Row | None, error: Row | None, count: int) -> list[Values]:
    """Return `count` items of a channel with these codes, each about a message and a person of its own."""
    run, now = secrets.token_hex(4), datetime.now(UTC)
    make = family_of(channel).make
    return [make(Item(status, error, channel, place, run, now)) for place in range(count)]


def as_json(channel: str, items: list[Values], indent: int | None = None) -> str:
    """Return items as a JSON body."""
    alone = family_of(channel).alone
    body: Any = {"results": items} if not alone else items[0] if len(items) == 1 else items
    return json.dumps(body, indent=indent, ensure_ascii=False)


def as_xml(channel: str, items: list[Values]) -> str:
    """Return items as the XML body that the channel has."""
    family = family_of(channel)
    content = "".join(f"    {_element(family.child, item)}\n" for item in items)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}\n<{family.root}>\n  <results>\n{content}  </results>\n</{family.root}>"


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        text = "".join(_element(inner, child) for inner, child in value.items())
    else:
        text = escape(str(value).lower() if isinstance(value, bool) else str(value), quote=False)
    return f"<{name}>{text}</{name}>" if text else f"<{name}/>"
