"""How e-mail requests name their recipients."""

import base64
import binascii
from collections.abc import Collection, Iterator
from email import policy
from email.errors import MessageError
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import Any, Final

from infobip.outbound.errors import UnreadableSend
from infobip.outbound.sends import Recipient
from infobip.outbound.spread import Message, Place, Spot, destinations_of
from infobip.outbound.wire import NotJson, items, members, parse, render, text

FIELDS: Final = ("to", "cc", "bcc")
OF_MANY: Final = "its message id stands for several recipients"
OF_A_COPY: Final = "it is a copy of a message to somebody else"
# Characters of base64. Headers of real messages take a few kilobytes; recipients are at most a thousand.
_LONGEST_HEADER: Final = 262_144


class InEmailLists:
    """`destinations`, each with lists `to`, `cc` and `bcc` of objects."""

    def places(self, message: Message) -> Iterator[Place]:
        """Yield everybody in order. Raises `UnreadableSend`."""
        for number, one in enumerate(destinations_of(message)):
            found = [(field, index, who) for field in FIELDS for index, who in enumerate(items(one.get(field)))]
            if not all(isinstance(who, dict) for _, _, who in found):
                raise UnreadableSend("an e-mail's recipient is no object")
            # One id for all who see each other (OUTBOUND 1.4).
            shared = one.get("preserveRecipients") is True and len(found) > 1
            for field, index, who in found:
                yield Place(
                    (number, field, index),
                    _known(text(who.get("destination"))),
                    text(who.get("messageId")),
                    shared=shared,
                    obstacle=OF_MANY if shared else "" if field == "to" else OF_A_COPY,
                )

    def cut(self, message: Message, gone: Collection[Spot]) -> Message | None:
        """Return the message without these people, or None where nobody is left.

        Copies go with the last person in `to`: Infobip takes no message without one.
        """
        left = []
        for number, one in enumerate(destinations_of(message)):
            kept = {
                field: [who for index, who in enumerate(one[field]) if (number, field, index) not in gone]
                for field in FIELDS
                if isinstance(one.get(field), list)
            }
            if kept.get("to"):
                rest = {name: value for name, value in one.items() if name not in kept}
                left.append({**{name: kept[name] for name in kept if kept[name]}, **rest})
        return {**message, "destinations": left} if left else None

    def only(self, message: Message, spot: Spot) -> Message:
        """Return the message to this one person, who stands in `to` then."""
        number, field, index = spot
        one = message["destinations"][number]
        rest = {name: value for name, value in one.items() if name not in FIELDS}
        return {**message, "destinations": [{"to": [one[field][index]], **rest}]}

    def with_id(self, message: Message, message_id: str) -> Message:
        """Return the message, which has one recipient, under another id."""
        one = destinations_of(message)[0]
        return {**message, "destinations": [{**one, "to": [{**members(one["to"][0]), "messageId": message_id}]}]}


class InMime:
    """`destinations`, a list of addresses, else those in the header of the MIME message."""

    def places(self, message: Message) -> Iterator[Place]:
        """Yield everybody in order. Raises `UnreadableSend`."""
        everybody = _mime_recipients(message)
        message_id = text(message.get("messageId"))
        shared = bool(message_id) and len(everybody) > 1
        for number, address in enumerate(everybody):
            yield Place((number, "", 0), _known(address), message_id, shared, OF_MANY if shared else "")

    def cut(self, message: Message, gone: Collection[Spot]) -> Message | None:
        """Return the message without these people, or None where nobody is left."""
        everybody = _mime_recipients(message)
        left = [address for number, address in enumerate(everybody) if (number, "", 0) not in gone]
        if len(left) == len(everybody):
            return message
        return {**message, "destinations": left} if left else None

    def only(self, message: Message, spot: Spot) -> Message:
        """Return the message to this one person. The list goes before the header, which stays."""
        return {**message, "destinations": [_mime_recipients(message)[spot[0]]]}

    def with_id(self, message: Message, message_id: str) -> Message:
        """Return the message under another id."""
        return {**message, "messageId": message_id}


class InParts:
    """Form fields `to`, `cc` and `bcc`, each an address or a JSON object with `to`; the form itself is in `parts`."""

    def places(self, message: Message) -> Iterator[Place]:
        """Yield everybody in order."""
        found = [(field, index, part) for field in FIELDS for index, part in enumerate(_fields(message, field))]
        form_id = next((part["value"] for part in _fields(message, "messageId")), "")
        preserved = any(part["value"].lower() == "true" for part in _fields(message, "preserveRecipients"))
        for field, index, part in found:
            address, own_id = _read_part(part["value"])
            shared = len(found) > 1 and (preserved or (bool(form_id) and not own_id))
            obstacle = OF_MANY if shared else "" if field == "to" else OF_A_COPY
            yield Place((0, field, index), _known(address), own_id or form_id, shared, obstacle)

    def cut(self, message: Message, gone: Collection[Spot]) -> Message | None:
        """Return the message as it is: forms are passed on as they come."""
        return message

    def only(self, message: Message, spot: Spot) -> Message:
        """Return the message to this one person, who stands in `to` then."""
        one = _fields(message, spot[1])[spot[2]]
        rest = [part for part in message["parts"] if part["name"] not in FIELDS]
        return {"parts": [*rest, {**one, "name": "to"}]}

    def with_id(self, message: Message, message_id: str) -> Message:
        """Return the message, which has one recipient, under another id."""
        parts = [_without_id(part) for part in message["parts"] if part["name"] != "messageId"]
        return {"parts": [*parts, {"name": "messageId", "value": message_id}]}


def _mime_recipients(message: Message) -> list[str]:
    given = message.get("destinations")
    if isinstance(given, list) and given:
        return [text(one) for one in given]
    try:
        encoded = "".join(text(message.get("mimeMessage"))[:_LONGEST_HEADER].split())
        raw = base64.b64decode(encoded[: len(encoded) // 4 * 4])
        head = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
        written = [str(value) for field in FIELDS for value in head.get_all(field, [])]
        return [address for _, address in getaddresses(written) if address]
    except (binascii.Error, ValueError, MessageError, IndexError, AttributeError):
        raise UnreadableSend("neither the request nor its MIME message names recipients that can be read") from None


def _fields(message: Message, name: str) -> list[dict[str, str]]:
    return [part for part in message["parts"] if part["name"] == name and "value" in part]


def _read_part(value: str) -> tuple[str, str]:
    """Return address and message id of a recipient's form field."""
    if value.lstrip().startswith("{"):
        try:
            one = members(parse(value.encode()))
        except (NotJson, UnicodeEncodeError):
            return value.strip(), ""
        return text(one.get("to")), text(one.get("messageId"))
    return value.strip(), ""


def _without_id(part: dict[str, Any]) -> dict[str, Any]:
    if part["name"] not in FIELDS or not _read_part(part.get("value", ""))[1]:
        return part
    one = {name: value for name, value in parse(part["value"].encode()).items() if name != "messageId"}
    return {**part, "value": render(one).decode()}


def _known(address: str) -> tuple[Recipient, ...]:
    return (Recipient(address.strip()),) if address.strip() else ()
