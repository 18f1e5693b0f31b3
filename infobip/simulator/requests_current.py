"""Bodies of the newer send endpoints: SMS v3, e-mail v4, MMS, Viber, RCS, push, chat, and Messages API.

They share `messages[].{sender, destinations[], content, options, webhooks}` (OUTBOUND facts 1.1; `api-bodies`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from infobip.inbound.channels import slug
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

_ADDRESS_MOST: Final = 1024
_EMAILS_MOST: Final = 1000
# Where each type of push destination keeps its address; MULTIPLE is a query and has none.
_PUSH_ADDRESSES: Final[Mapping[str, str]] = {
    "REGISTRATION": "pushRegistrationId",
    "EXTERNAL_USER_ID": "externalUserId",
    "EMAIL": "email",
    "PHONE_NUMBER": "phoneNumber",
}
MESSAGES_API_CHANNELS: Final = frozenset(
    "APPLE_MB INSTAGRAM_DM LINE_ON MESSENGER MMS RCS SMS VIBER_BM VIBER_BOT WHATSAPP".split()
)
_FAILOVERS: Final = ("smsFailover", "mmsFailover")


def read_unified(body: Any) -> Batch:
    """Read the body of SMS v3, MMS v2, Viber v2, RCS v2 and the chat channels. Raises `Refusal`."""
    return _read(body, _people, needs_content=True)


def read_push(body: Any) -> Batch:
    """Read the body of push v3. Raises `Refusal`."""
    return _read(body, _devices, needs_content=True)


def read_email(body: Any) -> Batch:
    """Read the body of e-mail v4. Raises `Refusal`."""
    return _read(body, _mailboxes, needs_content=True)


def read_messages_api(body: Any) -> Batch:
    """Read the body of Messages API; the content may be a template's. Raises `Refusal`."""
    return _read(body, _by_channel, needs_content=False)


def _read(body: Any, addresses: Any, *, needs_content: bool) -> Batch:
    faults: Faults = {}
    top = members(body, "request", faults)
    options = members(top.get("options"), "options", faults)
    schedule = members(options.get("schedule"), "options.schedule", faults)
    bulk_id = text(schedule, "bulkId", "options.schedule", faults, BULK_ID_MOST)
    send_at = moment(schedule, "sendAt", "options.schedule", faults)
    found: list[Submission] = []
    for path, message in items(top.get("messages"), "messages", faults):
        content = message.get("content")
        if needs_content or (content is None and "template" not in message):
            content = dict(members(content if content is not None else "", f"{path}.content", faults))
        if "template" in message:
            content = {"template": message["template"], "content": content}
        shared = _shared(message, path, faults)
        own = members(message.get("options"), f"{path}.options", faults)
        own_time = moment(own, "sendAt", f"{path}.options", faults)
        for particular in addresses(message, path, faults):
            found.append(Submission(content=content, send_at=own_time or send_at, **(shared | particular)))
    if faults:
        raise Refusal(400, faults=faults)
    return Batch(tuple(found), bulk_id)


def _shared(message: Mapping[str, Any], path: str, faults: Faults) -> dict[str, Any]:
    options = members(message.get("options"), f"{path}.options", faults)
    platform = members(options.get("platform"), f"{path}.options.platform", faults)
    return {
        "sender": text(message, "sender", path, faults),
        "webhook": _webhook(message.get("webhooks"), f"{path}.webhooks", faults),
        "application": text(platform, "applicationId", f"{path}.options.platform", faults),
        "entity": text(platform, "entityId", f"{path}.options.platform", faults),
        "campaign": text(options, "campaignReferenceId", f"{path}.options", faults),
        "has_failover": bool(message.get("failover")) or any(name in options for name in _FAILOVERS),
    }


def _webhook(value: Any, path: str, faults: Faults) -> Webhook:
    hooks = members(value, path, faults)
    delivery = members(hooks.get("delivery"), f"{path}.delivery", faults)
    seen = members(hooks.get("seen"), f"{path}.seen", faults)
    return Webhook(
        url=url(delivery, "url", f"{path}.delivery", faults),
        seen_url=url(seen, "url", f"{path}.seen", faults),
        content_type=content_type(hooks, "contentType", path, faults),
        intermediate=flag(delivery, "intermediateReport", f"{path}.delivery", faults),
        notify=flag(delivery, "notify", f"{path}.delivery", faults, default=True),
        callback_data=text(hooks, "callbackData", path, faults, CALLBACK_DATA_MOST),
    )


def _people(message: Mapping[str, Any], path: str, faults: Faults) -> Iterator[dict[str, Any]]:
    for place, destination in items(message.get("destinations"), f"{path}.destinations", faults):
        group = destination.get("group")
        members_of = items(group, f"{place}.group", faults) if group is not None else iter([(place, destination)])
        for inner, one in members_of:
            to = text(one, "to", inner, faults, _ADDRESS_MOST, need=True)
            yield {
                "recipient": to,
                "address": to,
                "message_id": text(one, "messageId", inner, faults, MESSAGE_ID_MOST),
            }


def _devices(message: Mapping[str, Any], path: str, faults: Faults) -> Iterator[dict[str, Any]]:
    if not message.get("sender"):
        faults[f"{path}.sender"] = "must not be blank"
    for place, one in items(message.get("destinations"), f"{path}.destinations", faults):
        kind = text(one, "type", place, faults, need=True)
        if kind == "MULTIPLE":
            yield {"recipient": "MULTIPLE", "address": "MULTIPLE"}
        elif kind in _PUSH_ADDRESSES:
            to = text(one, _PUSH_ADDRESSES[kind], place, faults, need=True)
            message_id = text(one, "messageId", place, faults, MESSAGE_ID_MOST)
            yield {"recipient": to, "address": to, "message_id": message_id}
        elif kind:
            faults[f"{place}.type"] = f"must be one of {', '.join(_PUSH_ADDRESSES)}, MULTIPLE"


def _mailboxes(message: Mapping[str, Any], path: str, faults: Faults) -> Iterator[dict[str, Any]]:
    options = members(message.get("options"), f"{path}.options", faults)
    shares = flag(options, "preserveRecipients", f"{path}.options", faults)
    content = message.get("content")
    if not message.get("sender") and not (isinstance(content, Mapping) and content.get("templateId")):
        faults[f"{path}.sender"] = "must not be blank"
    count = 0
    for place, destination in items(message.get("destinations"), f"{path}.destinations", faults):
        for field in ("to", "cc", "bcc"):
            if field != "to" and field not in destination:
                continue
            for inner, one in items(destination.get(field), f"{place}.{field}", faults):
                to = text(one, "destination", inner, faults, need=True)
                if to and "@" not in to:
                    faults[f"{inner}.destination"] = "must be a well-formed email address"
                count += 1
                yield {
                    "recipient": to,
                    "address": to,
                    "message_id": text(one, "messageId", inner, faults, MESSAGE_ID_MOST),
                    "id_group": path if shares and field == "to" else "",
                }
    if count > _EMAILS_MOST:
        faults[f"{path}.destinations"] = f"must not have more than {_EMAILS_MOST} recipients"


def _by_channel(message: Mapping[str, Any], path: str, faults: Faults) -> Iterator[dict[str, Any]]:
    channel = text(message, "channel", path, faults, need=True)
    if channel and channel not in MESSAGES_API_CHANNELS:
        faults[f"{path}.channel"] = "must be one of the channels of Messages API"
    legs = {"own_channel": channel, "leg": slug(channel)}
    for place, one in items(message.get("destinations"), f"{path}.destinations", faults):
        choice = one.get("byChannel")
        source, inner = one, place
        if choice is not None:
            ways = [way for way in items(choice, f"{place}.byChannel", faults) if way[1].get("channel") == channel]
            if not ways:
                faults[f"{place}.byChannel"] = "must hold a destination for the channel of the message"
                continue
            inner, source = ways[0]
        elif message.get("failover"):
            faults[f"{place}.byChannel"] = "must not be null where failover is used"
        to = text(source, "to", inner, faults, RECIPIENT_MOST if channel == "SMS" else _ADDRESS_MOST, need=True)
        # The destination's own id overrides those of its channels (OUTBOUND facts 1.1).
        message_id = text(one, "messageId", place, faults, MESSAGE_ID_MOST)
        message_id = message_id or text(source, "messageId", inner, faults, MESSAGE_ID_MOST)
        yield {"recipient": to, "address": to, "message_id": message_id, **legs}
