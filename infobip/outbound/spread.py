"""How requests name their recipients. Each way is a class that can list, cut, single out and give an id."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from infobip.inbound.channels import slug
from infobip.outbound.errors import UnreadableSend
from infobip.outbound.sends import Recipient
from infobip.outbound.wire import items, members, text

Message = dict[str, Any]
Spot = tuple[int, str, int]
"""A `Position` within its message."""

OF_A_GROUP: Final = "it goes to a group, and one of its members cannot be written to alone"
OF_A_SEGMENT: Final = "it goes to a segment, whose members only Infobip knows"

# What a destination of OMNI (`to`) or of push calls an address, and the channel that the address belongs to.
_OMNI_ADDRESSES: Final = {
    "phoneNumber": "",
    "emailAddress": "email",
    "pushRegistrationId": "push",
    "whatsAppUserId": "whatsapp",
}
_PUSH_ADDRESSES: Final = ("pushRegistrationId", "externalUserId", "email", "phoneNumber")


@dataclass(frozen=True, slots=True)
class Place:
    """One person, found in a message."""

    spot: Spot
    recipients: tuple[Recipient, ...]
    message_id: str = ""
    shared: bool = False
    obstacle: str = ""


class Way(Protocol):
    """One way to name recipients. No method changes its arguments."""

    def places(self, message: Message) -> Iterator[Place]:
        """Yield everybody in order. Raises `UnreadableSend`."""

    def cut(self, message: Message, gone: Collection[Spot]) -> Message | None:
        """Return the message without these people, or None where nobody is left."""

    def only(self, message: Message, spot: Spot) -> Message:
        """Return the message to this one person."""

    def with_id(self, message: Message, message_id: str) -> Message:
        """Return the message, which has one recipient, under another id."""


class InList:
    """`destinations`, a list of objects."""

    def places(self, message: Message) -> Iterator[Place]:
        """Yield everybody in order. Raises `UnreadableSend`."""
        for number, one in enumerate(destinations_of(message)):
            group = one.get("group")
            if isinstance(group, list):
                for index, member in enumerate(group):
                    ids = text(members(member).get("messageId"))
                    who = _addresses(members(member))
                    yield Place((number, "group", index), who, ids, shared=True, obstacle=OF_A_GROUP)
            elif one.get("type") == "MULTIPLE":
                yield Place((number, "", 0), (), shared=True, obstacle=OF_A_SEGMENT)
            else:
                yield Place((number, "", 0), _addresses(one), text(one.get("messageId")))

    def cut(self, message: Message, gone: Collection[Spot]) -> Message | None:
        """Return the message without these people, or None where nobody is left."""
        left = []
        for number, one in enumerate(destinations_of(message)):
            group = one.get("group")
            if isinstance(group, list):
                kept = [member for index, member in enumerate(group) if (number, "group", index) not in gone]
                if kept:
                    left.append(one if len(kept) == len(group) else {**one, "group": kept})
            elif (number, "", 0) not in gone:
                left.append(one)
        return {**message, "destinations": left} if left else None

    def only(self, message: Message, spot: Spot) -> Message:
        """Return the message to this one person."""
        one = message["destinations"][spot[0]]
        if spot[1]:
            one = {**one, "group": [one["group"][spot[2]]]}
        return {**message, "destinations": [one]}

    def with_id(self, message: Message, message_id: str) -> Message:
        """Return the message, which has one recipient, under another id.

        An id beside `byChannel` counts for all its steps only where the steps have none (OUTBOUND 1.1).
        """
        one = destinations_of(message)[0]
        if "byChannel" in one:
            one = {**one, "byChannel": [_without_id(step) for step in items(one["byChannel"])]}
        return {**message, "destinations": [{**one, "messageId": message_id}]}


class InItself:
    """The message's own `to` and `messageId`."""

    def places(self, message: Message) -> Iterator[Place]:
        """Yield the one person."""
        yield Place((0, "", 0), _addresses(message), text(message.get("messageId")))

    def cut(self, message: Message, gone: Collection[Spot]) -> Message | None:
        """Return None where the one person is gone."""
        return None if (0, "", 0) in gone else message

    def only(self, message: Message, spot: Spot) -> Message:
        """Return the message as it is."""
        return message

    def with_id(self, message: Message, message_id: str) -> Message:
        """Return the message under another id."""
        return {**message, "messageId": message_id}


class InStrings:
    """`to`, a list of numbers without ids."""

    def places(self, message: Message) -> Iterator[Place]:
        """Yield everybody in order. Raises `UnreadableSend`."""
        if not isinstance(message.get("to"), list):
            raise UnreadableSend("a message has no list of recipients")
        for number, one in enumerate(message["to"]):
            yield Place((number, "", 0), _known(text(one)))

    def cut(self, message: Message, gone: Collection[Spot]) -> Message | None:
        """Return the message without these people, or None where nobody is left."""
        left = [one for number, one in enumerate(items(message.get("to"))) if (number, "", 0) not in gone]
        return {**message, "to": left} if left else None

    def only(self, message: Message, spot: Spot) -> Message:
        """Return the message to this one person."""
        return {**message, "to": [items(message.get("to"))[spot[0]]]}

    def with_id(self, message: Message, message_id: str) -> Message:
        """Return the message as it is: it takes no id."""
        return message


def destinations_of(message: Message) -> list[Message]:
    """Return the destinations of a message. Raises `UnreadableSend` where there is no list of objects."""
    found = message.get("destinations")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnreadableSend("a message has no list of destinations")
    return found


def _addresses(one: Message) -> tuple[Recipient, ...]:
    steps = one.get("byChannel")
    if isinstance(steps, list):
        named = [(text(members(step).get("to")), slug(text(members(step).get("channel")))) for step in steps]
        return tuple(Recipient(address, channel) for address, channel in named if address)
    to = one.get("to")
    if isinstance(to, dict):
        found = [(text(to.get(name)), channel) for name, channel in _OMNI_ADDRESSES.items()]
        return tuple(Recipient(address, channel) for address, channel in found if address)
    if to is not None:
        return _known(text(to))
    return _known(next((text(one[name]) for name in _PUSH_ADDRESSES if name in one), ""))


def _known(address: str) -> tuple[Recipient, ...]:
    return (Recipient(address),) if address.strip() else ()


def _without_id(step: Any) -> Any:
    return {name: value for name, value in step.items() if name != "messageId"} if isinstance(step, dict) else step
