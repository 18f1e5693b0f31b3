"""Send one person's message again: the same content and options, another id, and an end in time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infobip.outbound.endpoint import LONGEST_ID, Endpoint
from infobip.outbound.endpoints import find
from infobip.outbound.errors import CannotResend, TooLate, UnreadableSend
from infobip.outbound.form import Part, write_form
from infobip.outbound.read import WAYS, messages_of, read_sends
from infobip.outbound.rewrite import report_to
from infobip.outbound.sends import Destination, Sends
from infobip.outbound.validity import shorten
from infobip.outbound.wire import Path, drop, render, text

_STORED = "application/json"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A request that is ready to be sent."""

    body: bytes = field(repr=False)
    content_type: str
    ends: datetime | None
    """When Infobip gives up at the latest; None where the endpoint cannot be told."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A registered fallback, checked. `body` is what `rebuild` takes."""

    endpoint: Endpoint
    path: str
    channel: str
    body: bytes = field(repr=False)


def rebuild(
    endpoint: Endpoint,
    single: bytes,
    message_id: str,
    report_url: str | None,
    not_after: datetime | None,
    now: datetime,
) -> Rebuilt:
    """Return the request that sends `single` (see `read.single`) again under `message_id`.

    The validity ends at `not_after`, where the endpoint has one. The report URL becomes `report_url`, or goes where
    that is None. Schedule and bulk id go; content, callbackData, regional members, Infobip's own failover and every
    option stay. Raises `CannotResend`, and `TooLate` where no time is left.
    """
    sends, one = _stored(endpoint, single)
    if one.obstacle:
        raise CannotResend(f"it cannot be sent again: {one.obstacle}")
    if not 0 < len(message_id) <= LONGEST_ID:
        raise CannotResend(f"a message id has 1 to {LONGEST_ID} characters")
    left = None if not_after is None else not_after - now
    if left is not None and left.total_seconds() <= 0:
        raise TooLate("its end has passed")
    top = dict(sends.top)
    if not endpoint.is_json:
        return _form(endpoint, top, message_id, report_url)
    message = messages_of(endpoint, top)[0]
    for path in endpoint.shape.of_the_batch:
        top, message = drop(top, path), drop(message, path)
    message = report_to(endpoint, message, report_url)
    message = WAYS[endpoint.shape.spread].with_id(message, message_id)
    ends = None
    if left is not None:
        message, span = shorten(endpoint, one.channel, message, left)
        ends = None if span is None else now + span
    body = render({**top, "messages": [message]} if endpoint.shape.messages else message)
    return Rebuilt(body, _STORED, ends)


def convert(fallback: Mapping[str, Any]) -> Converted:
    """Check a registered fallback: `{"channel": "voice", "endpoint": "/tts/3/advanced", "body": {...}}`.

    The body is a whole request of its own with one recipient; nothing is made up. Raises `CannotResend`.
    """
    path = text(fallback.get("endpoint"))
    endpoint = find("POST", path)
    if endpoint is None:
        raise CannotResend("the fallback's endpoint is no send endpoint that is known")
    try:
        body = render(fallback.get("body"))
    except (TypeError, ValueError, RecursionError):
        raise CannotResend("the fallback's body is no JSON") from None
    _, one = _stored(endpoint, body)
    if one.obstacle:
        raise CannotResend(f"the fallback cannot be used: {one.obstacle}")
    wanted = text(fallback.get("channel"))
    if wanted and wanted != one.channel:
        raise CannotResend("the fallback names one channel, and its endpoint sends on another")
    return Converted(endpoint, path, one.channel, body)


def _stored(endpoint: Endpoint, body: bytes) -> tuple[Sends, Destination]:
    try:
        sends = read_sends(endpoint, body, _STORED)
    except UnreadableSend as error:
        raise CannotResend(f"the stored request cannot be read: {error}") from None
    if len(sends.destinations) != 1:
        raise CannotResend("the stored request has more than one recipient")
    return sends, sends.destinations[0]


def _form(endpoint: Endpoint, top: dict[str, Any], message_id: str, report_url: str | None) -> Rebuilt:
    shape = endpoint.shape
    dropped = {_name(path) for path in (*shape.of_the_batch, shape.report_url)}
    parts: list[Part] = [part for part in top["parts"] if part["name"] not in dropped]
    if report_url is not None:
        parts.append({"name": _name(shape.report_url), "value": report_url})
    try:
        body, content_type = write_form(WAYS[shape.spread].with_id({"parts": parts}, message_id)["parts"])
    except UnreadableSend as error:
        raise CannotResend(f"the stored request cannot be read: {error}") from None
    return Rebuilt(body, content_type, None)


def _name(path: Path) -> str:
    return str(path[0])
