"""Bodies of the older send endpoints: SMS v2, voice, WhatsApp, OMNI, and e-mail v3 (OUTBOUND facts 1; `api-bodies`)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from infobip.simulator.errors import Refusal
from infobip.simulator.reading import (
    BULK_ID_MOST,
    CALLBACK_DATA_MOST,
    MESSAGE_ID_MOST,
    RECIPIENT_MOST,
    Faults,
    content_type,
    flag,
    items,
    members,
    moment,
    text,
    url,
)
from infobip.simulator.submission import Batch, Submission, Webhook

_VOICE_CALLBACK_DATA_MOST: Final = 700
_VOICE_TEXT_MOST: Final = 1400
_SMS_CONTENT: Final = ("text", "binary", "transliteration", "language", "flash")
_VOICE_CONTENT: Final = ("text", "audioFileUrl", "language", "voice", "scenarioId")
_OMNI_CHANNELS: Final[Mapping[str, tuple[str, str]]] = {
    # member of the request -> our slug and Infobip's name in reports
    "sms": ("sms", "SMS"),
    "viber": ("viber", "VIBER"),
    "whatsApp": ("whatsapp", "WHATSAPP"),
    "whatsapp": ("whatsapp", "WHATSAPP"),
    "push": ("push", "PUSH"),
    "voice": ("voice", "VOICE"),
    "line": ("line", "LINE"),
    "kakao": ("kakao", "KAKAO_ALIM"),
    "facebook": ("messenger", "FACEBOOK"),
    "email": ("email", "EMAIL"),
}
_EMAIL_CONTENT: Final = ("subject", "text", "html", "ampHtml", "templateId", "defaultPlaceholders")


def read_sms(body: Any) -> Batch:
    """Read the body of SMS v2, text or binary. Raises `Refusal`."""
    return _read_list(body, _SMS_CONTENT, ("text", "binary"), CALLBACK_DATA_MOST)


def read_voice(body: Any) -> Batch:
    """Read the body of advanced voice messages and of voice IVR. Raises `Refusal`."""
    return _read_list(body, _VOICE_CONTENT, ("text", "audioFileUrl", "scenarioId"), _VOICE_CALLBACK_DATA_MOST)


def read_voice_single(body: Any) -> Batch:
    """Read the body of a single voice message, which has neither message id nor webhook. Raises `Refusal`."""
    faults: Faults = {}
    top = members(body, "request", faults)
    content = _content(top, "", _VOICE_CONTENT, ("text", "audioFileUrl"), faults)
    text(top, "text", "", faults, _VOICE_TEXT_MOST)
    to = text(top, "to", "", faults, RECIPIENT_MOST, need=True)
    return _batch([Submission(to, content, sender=text(top, "from", "", faults), address=to)], "", faults)


def read_whatsapp(body: Any) -> Batch:
    """Read the body of a WhatsApp message, which is the only one of its request. Raises `Refusal`."""
    faults: Faults = {}
    return _batch([_whatsapp(members(body, "request", faults), "", faults)], "", faults)


def read_whatsapp_templates(body: Any) -> Batch:
    """Read the body of WhatsApp template messages. Raises `Refusal`."""
    faults: Faults = {}
    top = members(body, "request", faults)
    found = [_whatsapp(message, path, faults) for path, message in items(top.get("messages"), "messages", faults)]
    for index, one in enumerate(found):
        if isinstance(one.content, Mapping) and not one.content.get("templateName"):
            faults[f"messages[{index}].content.templateName"] = "must not be blank"
    return _batch(found, text(top, "bulkId", "", faults, BULK_ID_MOST), faults)


def read_omni(body: Any) -> Batch:
    """Read the body of an OMNI failover message. Raises `Refusal`."""
    faults: Faults = {}
    top = members(body, "request", faults)
    text(top, "scenarioKey", "", faults, need=True)
    # Which channel is tried first is the flow's secret; here it is the one that the request names first.
    content = {name: value for name, value in top.items() if name in _OMNI_CHANNELS and value}
    if not content:
        faults["request"] = "must hold the content of one channel at least"
    leg, own = _OMNI_CHANNELS[next(iter(content), "sms")]
    webhook = _webhook(top, "", faults, CALLBACK_DATA_MOST)
    found = []
    for path, one in items(top.get("destinations"), "destinations", faults):
        address = members(one.get("to") or "", f"{path}.to", faults)
        to = text(address, "phoneNumber", f"{path}.to", faults) or text(address, "emailAddress", f"{path}.to", faults)
        to = to or text(address, "pushRegistrationId", f"{path}.to", faults)
        if not to:
            faults[f"{path}.to"] = "must hold an address"
        found.append(
            Submission(
                to,
                content,
                text(one, "messageId", path, faults, MESSAGE_ID_MOST),
                leg=leg,
                own_channel=own,
                address=dict(address),
                webhook=webhook,
                has_failover=len(content) > 1,
                send_at=moment(top, "sendAt", "", faults),
            )
        )
    return _batch(found, text(top, "bulkId", "", faults, BULK_ID_MOST), faults)


def read_email_form(form: MultiDict[str, str]) -> Batch:
    """Read the multipart form of e-mail v3. A recipient is an address or JSON with one. Raises `Refusal`."""
    faults: Faults = {}
    text(form, "from", "", faults, need="templateId" not in form)
    content = {name: form[name] for name in _EMAIL_CONTENT if form.get(name)}
    if not content.keys() & {"text", "html", "ampHtml", "templateId"}:
        faults["text"] = "text, html, ampHtml or templateId must be there"
    if "subject" not in content and "templateId" not in content:
        faults["subject"] = "must not be blank"
    shares = flag(form, "preserveRecipients", "", faults)
    shared: dict[str, Any] = {
        "content": content,
        "sender": text(form, "from", "", faults),
        "webhook": _webhook(form, "", faults, CALLBACK_DATA_MOST),
        "application": text(form, "applicationId", "", faults),
        "entity": text(form, "entityId", "", faults),
        "campaign": text(form, "campaignReferenceId", "", faults),
        "send_at": moment(form, "sendAt", "", faults),
    }
    own_id = text(form, "messageId", "", faults, MESSAGE_ID_MOST)
    found = []
    for field in ("to", "cc", "bcc"):
        for index, raw in enumerate(form.getlist(field)):
            to, message_id = _mailbox(raw, f"{field}[{index}]", faults)
            only = own_id if (field == "to" and len(form.getlist("to")) == 1) or shares else ""
            group = "form" if shares and field == "to" else ""
            found.append(Submission(to, message_id=message_id or only, address=to, id_group=group, **shared))
    if not form.getlist("to"):
        faults["to"] = "must not be empty"
    return _batch(found, text(form, "bulkId", "", faults, BULK_ID_MOST), faults)


def _mailbox(raw: str, path: str, faults: Faults) -> tuple[str, str]:
    to, message_id = raw.strip(), ""
    if to.startswith("{"):
        try:
            one = members(json.loads(to), path, faults)
        except ValueError:
            faults[path] = "is not valid JSON"
            return "", ""
        to = text(one, "to", path, faults, need=True)
        message_id = text(one, "messageId", path, faults, MESSAGE_ID_MOST)
    if "<" in to:  # Ada Example <ada@example.com>
        to = to.rpartition("<")[2].rstrip("> ")
    if to and "@" not in to:
        faults[path] = "must be a well-formed email address"
    return to, message_id


def _read_list(body: Any, content: tuple[str, ...], needed: tuple[str, ...], callback_most: int) -> Batch:
    faults: Faults = {}
    top = members(body, "request", faults)
    found: list[Submission] = []
    for path, message in items(top.get("messages"), "messages", faults):
        found += _messages(message, path, content, needed, callback_most, faults)
    return _batch(found, text(top, "bulkId", "", faults, BULK_ID_MOST), faults)


def _messages(
    message: Mapping[str, Any],
    path: str,
    names: tuple[str, ...],
    needed: tuple[str, ...],
    callback_most: int,
    faults: Faults,
) -> Iterator[Submission]:
    content = _content(message, path, names, needed, faults)
    shared: dict[str, Any] = {
        "sender": text(message, "from", path, faults),
        "webhook": _webhook(message, path, faults, callback_most),
        "application": text(message, "applicationId", path, faults),
        "entity": text(message, "entityId", path, faults),
        "campaign": text(message, "campaignReferenceId", path, faults),
        "send_at": moment(message, "sendAt", path, faults),
    }
    for place, one in items(message.get("destinations"), f"{path}.destinations", faults):
        to = text(one, "to", place, faults, RECIPIENT_MOST, need=True)
        # These endpoints clip an id that is too long instead of refusing it (OUTBOUND facts 1.1).
        message_id = text(one, "messageId", place, faults)[:MESSAGE_ID_MOST]
        yield Submission(to, content, message_id, address=to, **shared)


def _whatsapp(message: Mapping[str, Any], path: str, faults: Faults) -> Submission:
    place = f"{path}.content" if path else "content"
    to = text(message, "to", path, faults, need=True)
    return Submission(
        to,
        dict(members(message.get("content") or "", place, faults)),
        text(message, "messageId", path, faults, MESSAGE_ID_MOST),
        sender=text(message, "from", path, faults, need=True),
        address=to,
        webhook=_webhook(message, path, faults, CALLBACK_DATA_MOST),
        application=text(message, "applicationId", path, faults),
        entity=text(message, "entityId", path, faults),
        has_failover="smsFailover" in message,
    )


def _content(
    source: Mapping[str, Any], path: str, names: tuple[str, ...], needed: tuple[str, ...], faults: Faults
) -> dict[str, Any]:
    if not any(source.get(name) for name in needed):
        faults[f"{path}.{needed[0]}" if path else needed[0]] = f"{' or '.join(needed)} must be there"
    return {name: source[name] for name in names if source.get(name)}


def _webhook(source: Mapping[str, Any], path: str, faults: Faults, callback_most: int) -> Webhook:
    return Webhook(
        url=url(source, "notifyUrl", path, faults),
        seen_url=url(source, "notifyUrl", path, faults),
        content_type=content_type(source, "notifyContentType", path, faults),
        intermediate=flag(source, "intermediateReport", path, faults),
        notify=flag(source, "notify", path, faults, default=True),
        callback_data=text(source, "callbackData", path, faults, callback_most),
    )


def _batch(found: list[Submission], bulk_id: str, faults: Faults) -> Batch:
    if faults:
        raise Refusal(400, faults=faults)
    return Batch(tuple(found), bulk_id)
