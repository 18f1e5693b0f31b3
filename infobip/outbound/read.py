"""Take a request to a send endpoint apart."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from infobip.inbound import dates
from infobip.inbound.channels import slug
from infobip.outbound import validity
from infobip.outbound.email_spread import InEmailLists, InMime, InParts
from infobip.outbound.endpoint import LONGEST_ID, Endpoint
from infobip.outbound.errors import UnreadableSend
from infobip.outbound.form import read_form
from infobip.outbound.sends import Destination, Position, Sends
from infobip.outbound.shapes import Bound, Spread
from infobip.outbound.spread import InItself, InList, InStrings, Message, Place, Way
from infobip.outbound.wire import NotJson, Path, at, items, members, parse, put, render, text
from reports.address import normalise

WAYS: Final[dict[Spread, Way]] = {
    Spread.LIST: InList(),
    Spread.SELF: InItself(),
    Spread.STRINGS: InStrings(),
    Spread.EMAIL: InEmailLists(),
    Spread.MIME: InMime(),
    Spread.PARTS: InParts(),
}
# Members that may hold thousands of recipients, and are not what a message weighs.
_NOT_WEIGHED: Final = frozenset({"destinations", "to"})
_MATCHING: Final[Path] = ("options", "smsFailover", "destinationMatching")
NO_ID: Final = "this endpoint takes no message id"


def read_sends(endpoint: Endpoint, body: bytes, content_type: str = "application/json") -> Sends:
    """Return everybody whom a request sends to, in order. Raises `UnreadableSend`."""
    top = read_top(endpoint, body, content_type)
    found: list[Destination] = []
    for number, message in enumerate(messages_of(endpoint, top)):
        found.extend(_destinations(endpoint, top, number, message))
    if not found:
        raise UnreadableSend("the request names no recipient")
    return Sends(
        endpoint=endpoint,
        destinations=tuple(found),
        bulk_id=text(at(_view(endpoint, top), endpoint.shape.bulk_id)) if endpoint.shape.bulk_id else "",
        top=top,
    )


def single(sends: Sends, position: Position) -> bytes:
    """Return the request with only this person, ready to be stored and to be given to `rebuild`.

    Everything else is as the application sent it; keep `obstacle` beside it, which a single copy of an e-mail no longer
    shows. A form becomes JSON: `{"parts": [...]}`, files in base64. Made when
    asked for: a thousand recipients of one large e-mail would be a thousand copies of it.
    """
    endpoint, top = sends.endpoint, dict(sends.top)
    message = top["messages"][position.message] if endpoint.shape.messages else top
    alone = WAYS[endpoint.shape.spread].only(message, _spot(position))
    matching = at(alone, _MATCHING)
    if isinstance(matching, list):  # Zalo's list of everybody's second number
        own = {recipient.address for recipient in sends.at(position).recipients}
        alone = put(alone, _MATCHING, [one for one in matching if not _other_person(one, own)])
    return render({**top, "messages": [alone]} if endpoint.shape.messages else alone)


def read_top(endpoint: Endpoint, body: bytes, content_type: str) -> dict[str, Any]:
    """Return the parsed request; a form as `{"parts": [...]}`. Raises `UnreadableSend`."""
    media = content_type.partition(";")[0].strip().lower()
    if not endpoint.is_json:
        if media == "application/json":  # as `single` wrote it
            return _stored_parts(body)
        return {"parts": read_form(body, content_type)}
    if media and not media.endswith("json"):
        raise UnreadableSend("only requests in JSON are read")
    try:
        top = parse(body)
    except NotJson as error:
        raise UnreadableSend(str(error)) from None
    if not isinstance(top, dict):
        raise UnreadableSend("the request is no JSON object")
    return top


def messages_of(endpoint: Endpoint, top: dict[str, Any]) -> list[Message]:
    """Return the messages of a parsed request. Raises `UnreadableSend`."""
    if not endpoint.shape.messages:
        return [top]
    found = top.get("messages")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnreadableSend("the request has no list of messages")
    return found


def channel_of(endpoint: Endpoint, message: Message) -> str:
    """Return a message's channel."""
    own = text(message.get("channel")) if endpoint.channel == "messages-api" else ""
    return slug(own) if own else endpoint.channel


def position_of(number: int, place: Place) -> Position:
    """Return where a person stands in the whole request."""
    return Position(number, *place.spot)


def _spot(position: Position) -> tuple[int, str, int]:
    return position.destination, position.field, position.item


def _destinations(endpoint: Endpoint, top: dict[str, Any], number: int, message: Message) -> Iterable[Destination]:
    shape, view = endpoint.shape, _view(endpoint, message)
    channel = channel_of(endpoint, message)
    steps = validity.steps(endpoint, channel, view)
    failover = steps if shape.bound is Bound.BODIES else steps[1:]
    size = len(render({name: value for name, value in message.items() if name not in _NOT_WEIGHED}))
    span, when = _validity(endpoint, steps, view), _send_at(endpoint, view, _view(endpoint, top))
    for place in WAYS[shape.spread].places(message):
        yield Destination(
            position=position_of(number, place),
            recipients=place.recipients,
            message_id=place.message_id[:LONGEST_ID] if endpoint.clips_ids else place.message_id,
            channel=channel,
            sender=_text(view, shape.sender),
            application=_text(view, shape.application),
            entity=_text(view, shape.entity),
            campaign=_text(view, shape.campaign),
            callback_data=_text(view, shape.callback_data),
            report_url=_text(view, shape.report_url),
            notify=at(view, shape.notify) is not False if shape.notify else True,
            validity=span,
            send_at=when,
            failover=tuple(step.channel for step in failover),
            repeats=bool(shape.retry) and isinstance(at(view, shape.retry), dict),
            shared=place.shared,
            obstacle=place.obstacle or ("" if endpoint.sets_ids else NO_ID),
            size=size,
        )


def _text(view: Message, path: Path) -> str:
    return text(at(view, path)) if path else ""


def _validity(endpoint: Endpoint, steps: list[validity.Step], view: Message) -> timedelta | None:
    if endpoint.shape.voids_validity and at(view, endpoint.shape.voids_validity) is not None:
        return None
    if endpoint.shape.bound is not Bound.BODIES:
        return validity.read(steps[0], view, endpoint.unit)
    spans = [validity.read(step, view, endpoint.unit) for step in steps]
    known = [span for span in spans if span is not None]
    return sum(known, timedelta()) if known and len(known) == len(spans) else None


def _send_at(endpoint: Endpoint, view: Message, top: Message) -> datetime | None:
    written = [at(node, path) for path in endpoint.shape.send_at for node in (view, top)]
    moments = (dates.parse(text(value)) for value in written if text(value))
    return next((moment for moment in moments if moment is not None), None)


def _view(endpoint: Endpoint, message: Message) -> Message:
    """Return a message such that paths lead to its members: a form's fields are members, the first of a name."""
    if endpoint.is_json:
        return message
    return {part["name"]: part["value"] for part in reversed(message["parts"]) if "value" in part}


def _stored_parts(body: bytes) -> dict[str, Any]:
    try:
        parts = items(members(parse(body)).get("parts"))
    except NotJson as error:
        raise UnreadableSend(str(error)) from None
    for part in parts:
        named = members(part)
        if not isinstance(named.get("name"), str) or not isinstance(named.get("value", named.get("base64")), str):
            raise UnreadableSend("a stored form has a part without name or value")
    return {"parts": parts}


def _other_person(one: Any, own: set[str]) -> bool:
    return normalise(text(members(one).get("initial"))) not in own
