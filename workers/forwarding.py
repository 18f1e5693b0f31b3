"""What one slice's reports are as events for the customer's own endpoints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from config.events import BOUNCED, DELIVERED, FAILED, MATCHED, SEEN, UNCONFIRMED
from config.mask import mask_text
from policy import Decision, Forward
from reports.states import State
from store import told
from store.events import Event
from store.messages import Message, attempts_of
from workers import rows
from workers.prepare import Prepared

_BY_STATE: Final = {
    State.DELIVERED: DELIVERED,
    State.SEEN: SEEN,
    State.FAILED: FAILED,
    State.BOUNCED_LATE: BOUNCED,
}
_UNCONFIRMED: Final = "unconfirmed"
OF_MESSAGES: Final = frozenset({*_BY_STATE.values(), UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Move:
    """A message's new state, and the report and decision that gave it."""

    item: Prepared
    message: Message
    decision: Decision | None


def move_of(item: Prepared, before: Message | None, after: Message | None, decision: Decision | None) -> Move | None:
    """Return what an item did to its message, where that is worth telling. What strangers say is not passed on."""
    if after is None or not item.trusted:
        return None
    unconfirmed = decision is not None and decision.cause == _UNCONFIRMED
    if after.state not in _BY_STATE and not (unconfirmed and after.state is State.UNKNOWN):
        return None
    same = before is not None and before.state is after.state
    if same and before is not None and attempts_of(before.legs) == attempts_of(after.legs) and not unconfirmed:
        return None
    return Move(item, after, decision)


def events_of(connection: Connection, moves: Sequence[Move], changed: Mapping[bytes, Message]) -> list[Event]:
    """Return the events of a slice's moves. Call it once everything else is written: resends decide what is final.

    `changed` are the messages as the slice leaves them.
    """
    failed = {
        move.message.key: attempts_of(move.message.legs)
        for move in moves
        if move.message.state is State.FAILED and _stays_failed(move, changed)
    }
    alive = told.still_open(connection, {move.message.account for move in moves}, failed)
    return [
        _event(move)
        for move in moves
        if move.message.state is not State.FAILED or (move.message.key in failed and move.message.key not in alive)
    ]


def _stays_failed(move: Move, changed: Mapping[bytes, Message]) -> bool:
    now = changed.get(move.message.key)
    return now is None or now.state is State.FAILED


def _event(move: Move) -> Event:
    item, message, decision = move.item, move.message, move.decision
    data = {
        "messageId": message.message_id,
        "state": message.state.value,
        "cause": decision.cause if decision else "",
        "rule": decision.rule if decision else "",
        "reason": mask_text(decision.reason) if decision else "",
        "purpose": message.purpose,
        **told.facts_told(rows.facts_of(item)),
    }
    return told.message_event(
        _BY_STATE.get(message.state, UNCONFIRMED),
        account=message.account,
        channel=message.channel,
        key=message.key,
        recipient=message.recipient,
        attempt=attempts_of(message.legs),
        at=item.event_at,
        data=data,
    )


def matched(number: int, item: Prepared, decision: Decision, action: Forward) -> Event:
    """Return the event of a rule that says `forward`. `number` is the report's id."""
    report = item.report
    data = {
        "endpoint": action.to,
        "reportId": str(number),
        "messageId": report.message_id,
        "event": report.event.value,
        "kind": report.kind,
        "outcome": decision.outcome.value,
        "cause": decision.cause,
        "rule": action.rule,
        "reason": mask_text(decision.reason),
        **told.facts_told(rows.facts_of(item)),
    }
    return Event(
        kind=MATCHED,
        account=report.account,
        channel=report.channel,
        at=item.event_at,
        about=(number, action.rule),
        data=data,
        recipient=item.recipient,
        message_key=item.message_key,
        to=action.to,
    )


def wanted_of(moves: Iterable[Move], kinds: frozenset[str]) -> list[Move]:
    """Return the moves that somebody wants to be told of."""
    return [move for move in moves if _BY_STATE.get(move.message.state, UNCONFIRMED) in kinds]
