"""One entry of the register, checked: what it says, and the request that it holds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from marshmallow import ValidationError

from codes.suggest import did_you_mean
from infobip.outbound import (
    CannotResend,
    Destination,
    Sends,
    UnreadableSend,
    convert,
    find,
    read_sends,
    single,
)
from infobip.outbound.wire import render
from reports.address import normalise
from store.sends import Content
from webhook.api.schema import FIXES, NAMES, SendSchema
from webhook.proxy.order import LARGEST_CONTENT, TOO_LARGE

_SCHEMA: Final = SendSchema()
_TEXT: Final = "Write a text."


class Fault(Exception):
    """What is wrong with one field of an entry."""

    def __init__(self, field: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.fix = fix or FIXES.get(field.partition(".")[0], _TEXT)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that can be registered. `one` is the person in its content."""

    values: Mapping[str, Any]
    path: str = ""
    sends: Sends | None = None
    one: Destination | None = None
    content: Content | None = field(default=None, repr=False)
    obstacle: str = ""

    @property
    def message_id(self) -> str:
        """Infobip's id of the message."""
        return str(self.values["message_id"])

    @property
    def recipient(self) -> str:
        """The address in the one spelling that keys have."""
        return normalise(self.values["to"])

    def told(self, name: str) -> str:
        """Return a text as the entry gives it, else as its content does."""
        given = str(self.values[name])
        return given or (str(getattr(self.one, name)) if self.one is not None else "")

    @property
    def fallback(self) -> str:
        """The channel of what may be sent instead, or empty."""
        told = self.content.fallback if self.content is not None else None
        return str(told["channel"]) if told else ""

    def leaves_at(self, sent_at: datetime) -> datetime:
        """Return when Infobip sends it, as far as its content tells."""
        return max(sent_at, self.one.send_at or sent_at) if self.one is not None else sent_at

    def end(self, sent_at: datetime) -> datetime | None:
        """Return after which moment the message is worthless."""
        declared: datetime | None = self.values["not_after"]
        if declared is not None or self.one is None or self.one.validity is None:
            return declared
        return self.leaves_at(sent_at) + self.one.validity


def read_entry(raw: Any) -> Entry:
    """Return a checked entry. Raises `Faults`."""
    if not isinstance(raw, dict):
        raise Faults([Fault("", "It is no JSON object.", "Write an object with messageId, to and channel.")])
    try:
        values = _SCHEMA.load(raw)
    except ValidationError as error:
        raise Faults(list(_faults(error.messages_dict))) from None
    try:
        return _with_content(values)
    except Fault as fault:
        raise Faults([fault]) from None


class Faults(Exception):
    """All that is wrong with one entry."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__()
        self.faults = faults


def _faults(messages: Mapping[str, Any], above: str = "") -> Iterator[Fault]:
    for name, found in messages.items():
        place = f"{above}.{name}" if above else str(name)
        if isinstance(found, dict):
            yield from _faults(found, place)
        elif found == ["Unknown field."]:
            yield Fault(place, "There is no such field.", did_you_mean(str(name), NAMES))
        else:
            yield Fault(place, " ".join(map(str, found)))


def _with_content(values: Mapping[str, Any]) -> Entry:
    if values["content"] is None:
        return Entry(values)
    path = values["content"]["endpoint"]
    endpoint = find("POST", path)
    if endpoint is None:
        raise Fault("content.endpoint", "It is no send endpoint that is known.", "Write its path: /sms/3/messages.")
    try:
        body = render(values["content"]["body"])
        sends = read_sends(endpoint, body)
    except UnreadableSend as error:
        raise Fault("content.body", f"It cannot be read: {error}.") from None
    if len(sends.destinations) != 1:
        raise Fault(
            "content.body", f"It has {len(sends.destinations)} recipients.", "Write one entry for each of them."
        )
    one = sends.destinations[0]
    _fits(values, one)
    fallback = read_fallback(values["fallback"])
    request = single(sends, one.position)
    if len(request) + len(json.dumps(fallback)) > LARGEST_CONTENT:
        return Entry(values, path, sends, one, None, one.obstacle or TOO_LARGE)
    return Entry(values, path, sends, one, None if one.obstacle else Content(request, fallback), one.obstacle)


def _fits(values: Mapping[str, Any], one: Destination) -> None:
    if one.message_id not in ("", values["message_id"]):
        raise Fault("content.body", "It has another message id than the entry.", "Write the same id in both, or none.")
    if normalise(values["to"]) not in {to.address for to in one.recipients}:
        raise Fault("content.body", "Its recipient is not the entry's.", "Write the same recipient in both.")
    if one.channel not in (values["channel"], "omni"):
        raise Fault("channel", f"The content's endpoint sends on {one.channel}.", f"Write {one.channel}.")


def read_fallback(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a fallback in plain JSON, as it is stored, with the channel that it is for. Raises `Fault`."""
    if given is None:
        return None
    try:
        plain: dict[str, Any] = json.loads(render(dict(given)))
        plain["channel"] = convert(plain).channel
    except CannotResend as error:
        raise Fault("fallback", f"It cannot be used: {error}.") from None
    except (ValueError, OverflowError):
        raise Fault("fallback", "It has a number that cannot be kept.") from None
    return plain
