"""Changes to a request on its way through the proxy. JSON only; everything else keeps its value, numbers their text."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from infobip.outbound.endpoint import Endpoint
from infobip.outbound.errors import UnreadableSend
from infobip.outbound.read import WAYS, messages_of, position_of, read_top
from infobip.outbound.sends import Position, Sends
from infobip.outbound.spread import Spot
from infobip.outbound.wire import at, drop, put, render, text


@dataclass(frozen=True, slots=True)
class Redirected:
    """A request whose reports come to us, and where each person's would have gone (empty: nowhere by itself)."""

    body: bytes = field(repr=False)
    previous: Mapping[Position, str] = field(repr=False)


def without(endpoint: Endpoint, body: bytes, positions: Collection[Position]) -> bytes | None:
    """Return the request without these people, and without messages that have nobody left.

    None: nobody is left at all. `gone_with` names those who go with them. Raises `UnreadableSend`.
    """
    top = _json(endpoint, body)
    if not positions:
        return body
    left = _cut(endpoint, top, frozenset(positions))
    if not left:
        return None
    return render({**top, "messages": left} if endpoint.shape.messages else left[0])


def gone_with(sends: Sends, positions: Collection[Position]) -> frozenset[Position]:
    """Return everybody whom `without` takes out: copies of an e-mail go with the last person in its `to`."""
    endpoint = sends.endpoint
    gone = set(positions)
    for one in sends.destinations:
        if one.position.field in ("cc", "bcc") and endpoint.is_json:
            first = [
                other.position
                for other in sends.destinations
                if other.position[:2] == one.position[:2] and other.position.field == "to"
            ]
            if gone.issuperset(first):
                gone.add(one.position)
    return frozenset(gone)


def with_report_url(endpoint: Endpoint, body: bytes, url: str) -> Redirected:
    """Return the request with `url` as the place for its delivery reports. Raises `UnreadableSend`.

    An endpoint without such a member, and a form, stay as they are. `notify: false` stays too: the application wants
    no report, and none will come.
    """
    path = endpoint.shape.report_url
    if not path or not endpoint.is_json:
        return Redirected(body, {})
    top = _json(endpoint, body)
    previous: dict[Position, str] = {}
    changed = []
    for number, message in enumerate(messages_of(endpoint, top)):
        before = text(at(message, path))
        for place in WAYS[endpoint.shape.spread].places(message):
            previous[position_of(number, place)] = before
        changed.append(report_to(endpoint, message, url))
    return Redirected(render({**top, "messages": changed} if endpoint.shape.messages else changed[0]), previous)


def report_to(endpoint: Endpoint, message: dict[str, Any], url: str | None) -> dict[str, Any]:
    """Return a message with `url` as the place for its reports, or with none."""
    path = endpoint.shape.report_url
    above = [at(message, path[:steps]) for steps in range(1, len(path))]
    if not path or not all(one is None or isinstance(one, dict) for one in above):
        return message  # what is in the way is Infobip's to refuse
    changed: dict[str, Any] = drop(message, path) if url is None else put(message, path, url)
    return changed


def _cut(endpoint: Endpoint, top: dict[str, Any], gone: frozenset[Position]) -> list[dict[str, Any]]:
    way = WAYS[endpoint.shape.spread]
    spots: dict[int, set[Spot]] = {}
    for one in gone:
        spots.setdefault(one.message, set()).add((one.destination, one.field, one.item))
    left = []
    for number, message in enumerate(messages_of(endpoint, top)):
        kept = way.cut(message, spots[number]) if number in spots else message
        if kept is not None:
            left.append(kept)
    return left


def _json(endpoint: Endpoint, body: bytes) -> dict[str, Any]:
    if not endpoint.is_json:
        raise UnreadableSend("forms are passed on as they come")
    return read_top(endpoint, body, "application/json")
