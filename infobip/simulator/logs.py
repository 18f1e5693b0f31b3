"""The logs of sent messages: repeatable, for 48 hours (OUTBOUND facts 3). They never carry callbackData or webhooks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from infobip.simulator.book import Book, Message
from infobip.simulator.coding import written
from infobip.simulator.errors import Shape
from infobip.simulator.log_query import cursor_after, read_query
from infobip.simulator.pulls import WINDOW
from infobip.simulator.shapes import Report, Values, omni, price_of, written_date

_SMS_CONTENT: Final = ("text", "transliteration", "language", "dataCoding", "esmClass", "hex", "binary")


@dataclass(frozen=True, slots=True)
class Log:
    """One logs endpoint: the channel, how an entry looks, and the names that two of its filters have."""

    path: str
    channel: str
    make: Callable[[Message], Values]
    errors: Shape = Shape.API
    limit: str = "logs"

    @property
    def is_old(self) -> bool:
        """Whether it is of the older kind, without a cursor."""
        return self.errors is Shape.LEGACY


def page(log: Log, book: Book, query: MultiDict[str, str], now: float, delay: float) -> Values:
    """Return the newest entries that a query asks for; `delay` is how long a message takes to show.

    Raises `Refusal` with every parameter that is wrong.
    """
    sender, destination = ("from", "to") if log.is_old else ("sender", "destination")
    wanted = read_query(query, sender, destination, has_cursor=not log.is_old)
    found = [
        message
        for message in book.newest_messages(wanted.fields.get("messageId"))
        if message.channel == log.channel and delay <= now - message.accepted <= WINDOW and wanted.holds(message)
    ]
    shown = found[: wanted.limit]
    answer: Values = {"results": [log.make(message) for message in shown]}
    if wanted.use_cursor:
        more = {"nextCursor": cursor_after(shown[-1])} if len(found) > len(shown) else {}
        answer["cursor"] = {"limit": wanted.limit, **more}
    return answer


def _last(message: Message) -> Report:
    return Report(message, message.status, message.error, message.done_at or message.sent_at)


def _entry(message: Message) -> Values:
    one = message.submission
    platform = {"entityId": one.entity, "applicationId": one.application}
    found: dict[str, Any] = {
        "sender": one.sender,
        "destination": one.recipient,
        "bulkId": message.bulk_id,
        "messageId": message.id,
        "sentAt": written_date(message.sent_at),
        "doneAt": written_date(message.done_at) if message.done_at else None,
        "messageCount": one.parts,
        "price": {"pricePerMessage": price_of(_last(message)), "currency": "EUR"},
        "status": written(message.status),
        "error": written(message.error),
        "platform": {name: value for name, value in platform.items() if value},
        "campaignReferenceId": one.campaign,
    }
    return {name: value for name, value in found.items() if value not in ("", None, {})}


def _sms(message: Message) -> Values:
    content = message.submission.content
    kept = {name: content[name] for name in _SMS_CONTENT if name in content}
    return {**_entry(message), "content": kept, "mccMnc": message.mcc_mnc}


def _mms(message: Message) -> Values:
    return {**_with_content(message), "mccMnc": message.mcc_mnc}


def _with_content(message: Message) -> Values:
    return {**_entry(message), "content": message.submission.content}


def _with_text(message: Message) -> Values:
    return {**_entry(message), "text": message.submission.text}


def _old(message: Message) -> Values:
    found = _with_text(message)
    found["from"], found["to"] = found.pop("sender", ""), found.pop("destination")
    found["smsCount"] = found.pop("messageCount")
    found.pop("platform", None)
    return {**found, "mccMnc": message.mcc_mnc}


def _voice(message: Message) -> Values:
    found = _old(message)
    del found["smsCount"]
    seconds = 1 if message.status.cause == "delivered" else 0
    return {**found, "price": {"pricePerSecond": 0.0017, "currency": "EUR"}, "duration": seconds}


def _omni(message: Message) -> Values:
    found = {**omni(_last(message)), "text": message.submission.text}
    found.pop("callbackData", None)
    return found


LOGS: Final = (
    Log("/sms/3/logs", "sms", _sms),
    Log("/sms/1/logs", "sms", _old, Shape.LEGACY),
    Log("/email/4/logs", "email", _with_text),
    Log("/email/1/logs", "email", _old, Shape.LEGACY, "old email logs"),
    Log("/mms/2/logs", "mms", _mms),
    Log("/viber/2/logs", "viber", _with_content),
    Log("/rcs/2/logs", "rcs", _with_content),
    Log("/push/3/logs", "push", _with_content),
    Log("/tts/3/logs", "voice", _voice, Shape.LEGACY),
    Log("/omni/1/logs", "omni", _omni, Shape.LEGACY),
)
