"""What Infobip's answer says of each message of a request. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from codes.lookup import lookup
from codes.meaning import Outcome
from infobip.outbound import Destination, Entry, Position, Sends, UnreadableAnswer, pair, read_answer
from infobip.outbound.results import Exchange, Exchanged, NotSent, Refused, Unknown
from infobip.outbound.verdict import DUPLICATE, judge
from store.sends import ACCEPTED, NOT_SENT, REFUSED, UNKNOWN

_TAKEN: Final = frozenset({Outcome.PENDING, Outcome.HANDED_OVER, Outcome.DELIVERED})


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one message. `message_id` is Infobip's, where its answer names one."""

    state: str
    message_id: str = ""
    already: bool = False
    """Infobip had a message of that id before."""
    whole: bool = False
    """The request as a whole was refused, so that no report will ever come."""


def outcomes(sends: Sends, exchange: Exchange, sent: Callable[[Destination], bool]) -> Mapping[Position, Fate]:
    """Return what became of everybody whom the request still had (`sent`)."""
    asked = [one for one in sends.destinations if sent(one)]
    if not (isinstance(exchange, Exchanged) and 200 <= exchange.http < 300):
        whole = _of_whole(sends, exchange)
        return {one.position: whole for one in asked}
    try:
        answered = read_answer(sends.endpoint, exchange.body)
    except UnreadableAnswer:
        return {one.position: Fate(UNKNOWN) for one in asked}
    pairs = pair(sends, answered, sent)
    return {
        one.position: _of_entry(one, answered.entries[pairs[one.position]])
        if one.position in pairs
        else Fate(UNKNOWN, one.message_id)
        for one in asked
    }


def _of_whole(sends: Sends, exchange: Exchange) -> Fate:
    verdict = judge(sends.endpoint, exchange, "")
    if isinstance(verdict, NotSent):
        return Fate(NOT_SENT, whole=True)
    if isinstance(verdict, Refused):
        return Fate(REFUSED, whole=True)
    return Fate(UNKNOWN)


def _of_entry(one: Destination, entry: Entry) -> Fate:
    if entry.status is None:
        return Fate(UNKNOWN, entry.message_id)
    meaning = lookup(one.channel, entry.status, None)
    if meaning.cause == DUPLICATE:
        return Fate(REFUSED, entry.message_id, already=True)
    if meaning.outcome in _TAKEN:
        return Fate(ACCEPTED, entry.message_id)
    return Fate(REFUSED if meaning.outcome is Outcome.FAILED else UNKNOWN, entry.message_id)


def described(exchange: Exchange) -> str:
    """Return one word for the log."""
    if isinstance(exchange, Exchanged):
        return str(exchange.http)
    return "unknown" if isinstance(exchange, Unknown) else "not sent"
