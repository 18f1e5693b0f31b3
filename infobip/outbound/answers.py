"""What Infobip answers to a send: one entry for each recipient."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from codes.ref import CodeRef
from infobip.outbound.endpoint import Answer, Endpoint
from infobip.outbound.errors import UnreadableAnswer
from infobip.outbound.sends import Destination, Position, Sends
from infobip.outbound.wire import NotJson, Number, members, parse, text
from reports.address import normalise


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of an answer. What is not there is empty or None."""

    message_id: str
    status: CodeRef | None
    destination: str = field(repr=False)
    """As Infobip writes it; of several addresses of one person, the first."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx answer, read."""

    bulk_id: str
    entries: tuple[Entry, ...]


def read_answer(endpoint: Endpoint, body: bytes) -> Answered:
    """Return the entries of a 2xx answer in order. Raises `UnreadableAnswer`. An odd entry is an empty one."""
    top = read_answer_top(endpoint, body)
    bulk_id = text(top.get("bulkId"))
    return Answered(bulk_id, tuple(_entry(endpoint, one) for one in entries_of(endpoint, top)))


def read_answer_top(endpoint: Endpoint, body: bytes) -> dict[str, Any]:
    """Return a 2xx answer, parsed. Raises `UnreadableAnswer`."""
    try:
        top = parse(body)
    except NotJson as error:
        raise UnreadableAnswer(f"the answer is not JSON: {error}") from None
    if not isinstance(top, dict):
        raise UnreadableAnswer("the answer is no JSON object")
    if endpoint.answer is Answer.LIST and not isinstance(top.get("messages"), list):
        raise UnreadableAnswer("the answer has no list of messages")
    return top


def entries_of(endpoint: Endpoint, top: dict[str, Any]) -> list[Any]:
    """Return the raw entries of a parsed answer."""
    found: list[Any] = top["messages"] if endpoint.answer is Answer.LIST else [top]
    return found


def pair(sends: Sends, answered: Answered, sent: Callable[[Destination], bool] = lambda _: True) -> dict[Position, int]:
    """Return the number of the entry that belongs to each destination, as far as that can be told.

    By message id, else by address (twice the same address: in order), else, where both sides have as many left, by
    order. People who share one id share its entry. `sent` says which destinations the request still had.
    """
    asked = [one for one in sends.destinations if sent(one)]
    found = _take(asked, answered.entries, {}, lambda one: [one.message_id], lambda entry: entry.message_id)
    found = _take(asked, answered.entries, found, _addresses, lambda entry: normalise(entry.destination))
    left = [one for one in asked if one.position not in found]
    taken = set(found.values())
    free = [number for number in range(len(answered.entries)) if number not in taken]
    if len(left) == len(free):
        found |= {one.position: number for one, number in zip(left, free, strict=True)}
    of_all = {_sharers(one): found[one.position] for one in reversed(asked) if one.shared and one.position in found}
    for one in asked:
        if one.shared and one.position not in found and _sharers(one) in of_all:
            found[one.position] = of_all[_sharers(one)]
    return found


def _sharers(one: Destination) -> tuple[int, ...]:
    """Return what is the same for people who may share an id: a destination with fields, else the message."""
    return one.position[:2] if one.position.field else one.position[:1]


def _take(
    asked: list[Destination],
    entries: tuple[Entry, ...],
    found: Mapping[Position, int],
    names: Callable[[Destination], list[str]],
    name_of: Callable[[Entry], str],
) -> dict[Position, int]:
    """Return `found` and those whose name is that of an entry which nobody has yet."""
    waiting: dict[str, deque[int]] = defaultdict(deque)
    taken = set(found.values())
    for number, entry in enumerate(entries):
        if number not in taken and name_of(entry):
            waiting[name_of(entry)].append(number)
    more = dict(found)
    for one in asked:
        if one.position in more:
            continue
        for name in names(one):
            if name and waiting.get(name):
                more[one.position] = waiting[name].popleft()
                break
    return more


def _addresses(one: Destination) -> list[str]:
    return [recipient.address for recipient in one.recipients]


def _entry(endpoint: Endpoint, value: Any) -> Entry:
    node = members(value)
    return Entry(text(node.get("messageId")), CodeRef.of(plain(node.get("status"))), _destination(endpoint, node))


def _destination(endpoint: Endpoint, node: dict[str, Any]) -> str:
    to = node.get(endpoint.answers_to)
    if to is None:  # older and newer answers of one family differ in the name alone
        to = node.get("destination", node.get("to"))
    if isinstance(to, dict):
        return next((text(one) for one in to.values() if text(one)), "")
    return text(to)


def plain(value: Any) -> Any:
    """Return a flat object with its numbers as texts, as `CodeRef` reads them."""
    return {name: one.text if isinstance(one, Number) else one for name, one in members(value).items()}
