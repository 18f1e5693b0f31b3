"""The delivery and seen reports of each channel, in the shape that Infobip posts now (INBOUND facts 1.1 and 2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from codes import Row
from infobip.simulator.book import Message
from infobip.simulator.coding import written

Values = dict[str, Any]
_PRICE: Final = 0.0421
_CURRENCY: Final = "EUR"


@dataclass(frozen=True, slots=True)
class Report:
    """Something to tell the sender about a message. `leg` is Infobip's name of a failover step's channel."""

    message: Message
    status: Row
    error: Row
    done_at: datetime
    leg: str = ""
    smtp: str = ""
    seen: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the status says so."""
        return self.status.cause == "delivered"


def written_date(moment: datetime) -> str:
    """Return a date as Infobip writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def price_of(report: Report) -> float:
    """Return what the message cost: a refused one nothing, a failed one the usual price."""
    return 0.0 if report.status.group == "REJECTED" else _PRICE


def _codes(report: Report) -> Values:
    return {"status": written(report.status), "error": written(report.error)}


def _platform(message: Message) -> Values:
    one = message.submission
    found = {"entityId": one.entity, "applicationId": one.application}
    return {name: value for name, value in found.items() if value}


def _without_empty(values: Mapping[str, Any]) -> Values:
    return {name: value for name, value in values.items() if value not in ("", None, {})}


def _core(report: Report) -> Values:
    message = report.message
    return {
        "bulkId": message.bulk_id,
        "price": {"pricePerMessage": price_of(report), "currency": _CURRENCY},
        **_codes(report),
        "messageId": message.id,
        "to": message.submission.recipient,
        "sentAt": written_date(message.sent_at),
        "doneAt": written_date(report.done_at),
        "callbackData": message.submission.webhook.callback_data,
        "campaignReferenceId": message.submission.campaign,
    }


def unified(report: Report) -> Values:
    """SMS v3, MMS v2, Viber, push and most chat channels."""
    message = report.message
    more = {"sender": message.submission.sender, "platform": _platform(message)}
    network = {"mccMnc": message.mcc_mnc} if message.channel in ("sms", "mms", "viber", "rcs") else {}
    return _without_empty({**_core(report), **more, **network, "messageCount": message.submission.parts})


def sms_legacy(report: Report) -> Values:
    """SMS v2, whose success is spelt `Ok`."""
    found = {**_core(report), **_platform(report.message), "from": report.message.submission.sender}
    error = found["error"]
    if error.get("groupName") == "OK":
        error["groupName"] = "Ok"
    return _without_empty({**found, "mccMnc": report.message.mcc_mnc, "smsCount": report.message.submission.parts})


def email(report: Report) -> Values:
    """E-mail: with the mailbox provider's own words."""
    answer = report.smtp or ("250 2.0.0 accepted by the simulated mailbox" if report.delivered else "")
    mail = {"smsCount": 1, "attemptCount": 1, "timeToFirstAttempt": 87, "sendingIp": "192.0.2.44"}
    smtp = {"smtp": {"response": answer}} if answer else {}
    return _without_empty({**_core(report), **_platform(report.message), **mail, **smtp})


def voice(report: Report) -> Values:
    """Voice: no `doneAt` and no count, but the call itself and a price for each second."""
    message = report.message
    ended = report.done_at
    call: Values = {
        "feature": "Text-to-Speech",
        "startTime": written_date(message.sent_at),
        "endTime": written_date(ended),
    }
    if report.delivered and report.error.cause == "delivered":
        seconds = max(1, round((ended - message.sent_at).total_seconds()))
        call |= {"answerTime": written_date(ended - timedelta(milliseconds=1)), "duration": seconds}
        call["chargedDuration"] = -(-seconds // 60) * 60
    else:
        call |= {"duration": 0, "chargedDuration": 0}
    found = _core(report)
    del found["doneAt"]
    price = {"pricePerSecond": 0.0017, "currency": _CURRENCY}
    more = {"from": message.submission.sender, "mccMnc": message.mcc_mnc, "voiceCall": call, "price": price}
    return _without_empty({**found, **_platform(message), **more})


def whatsapp(report: Report) -> Values:
    """WhatsApp: no sender, but the contact."""
    to = report.message.submission.recipient
    contact = {"name": "Ada Example", "phoneNumber": to, "userId": f"GB.{to[-6:]}"}
    found = _without_empty({**_core(report), "messageCount": 1, "contact": contact})
    return {**found, "bulkId": report.message.bulk_id}


def rcs(report: Report) -> Values:
    """RCS: the channel is named only where failover was asked for."""
    found = {**unified(report), "interactionType": "BASIC_MESSAGE", "conversation": {"canInitiate": True}}
    found["price"] = {"trafficType": "BASIC", **found["price"]}
    if report.message.submission.has_failover:
        found["channel"] = report.leg or "RCS"
    return found


def zalo(report: Report) -> Values:
    """Zalo, which names its channel."""
    named = {"channel": "ZALO_NOTIFICATION_SERVICE", "messageCount": 1}
    return _without_empty({**_core(report), **_platform(report.message), **named})


def messages_api(report: Report) -> Values:
    """Messages API: the event and the channel are named, the recipient is the `destination`, there is no price."""
    found = unified(report)
    del found["price"]
    to = found.pop("to")
    channel = report.leg or report.message.submission.own_channel
    network = {"mccMnc": int(report.message.mcc_mnc)} if channel in ("SMS", "MMS", "RCS") else {}
    return {"event": "DELIVERY", "channel": channel, "destination": to, **found, **network}


def omni(report: Report) -> Values:
    """OMNI failover: the channel of the step."""
    channel = report.leg or report.message.submission.own_channel
    return _without_empty({**_core(report), "channel": channel, "messageCount": 1, "mccMnc": report.message.mcc_mnc})


def seen(report: Report) -> Values:
    """A seen report: no status, and the ids at the top (INBOUND facts 2)."""
    message, one = report.message, report.message.submission
    times = {"sentAt": written_date(message.sent_at), "seenAt": written_date(report.done_at)}
    ids = {"messageId": message.id, "campaignReferenceId": one.campaign}
    if message.endpoint.reports == "messages-api":
        named = {"event": "SEEN", "channel": one.own_channel, "sender": one.sender, "destination": one.recipient}
        more = {"bulkId": message.bulk_id, "callbackData": one.webhook.callback_data, "platform": _platform(message)}
        return _without_empty({**named, **ids, **times, **more})
    if message.endpoint.reports == "omni":
        times["sendAt"] = times.pop("sentAt")
        return _without_empty({**ids, **times, "channel": one.own_channel, "from": one.sender, "to": one.recipient})
    reader, writer = one.recipient, one.sender
    if message.channel == "messenger":  # its published example has the reader in `from`
        reader, writer = writer, reader
    contact = {"name": "Ada Example", "phoneNumber": reader} if message.channel == "whatsapp" else {}
    return _without_empty({**ids, "from": writer, "to": reader, **times, **_platform(message), "contact": contact})


@dataclass(frozen=True, slots=True)
class Look:
    """How a shape is written. `root` and `child` are those of its XML; without them it comes as JSON only."""

    make: Callable[[Report], Values]
    root: str = "DeliveryReports"
    child: str = "result"


LOOKS: Final[Mapping[str, Look]] = {
    "unified": Look(unified),
    "sms-legacy": Look(sms_legacy, "reportResponse"),
    "email": Look(email, "EmailReports"),
    "voice": Look(voice, "reportResponse", "results"),
    "whatsapp": Look(whatsapp, ""),
    "rcs": Look(rcs, "RcsWebhookDeliveryReports"),
    "zalo": Look(zalo, "ZaloReportRequest", "results"),
    "messages-api": Look(messages_api, "MessagesApiDeliveryReportResponse", "results"),
    "omni": Look(omni, ""),
    "seen": Look(seen, ""),
}
