"""What lifts an entry by hand, and who may: what a person asked for takes a reason, and perhaps a second person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from codes.events import OPT_OUTS
from store.ids import new_id
from store.schema import lift_requests, suppressions
from store.suppressions import STANDING, lift
from store.writes import insert_returning

_OPT_OUT: Final = "recipient_opted_out"
# Entries that applications may lift with evidence of an opt-in; what failures made they may lift anyway.
_BY_OPT_IN: Final = OPT_OUTS
_BY_OPERATOR_ALONE: Final = frozenset({"recipient_complained", "recipient_blocklisted", "recipient_dnd"})
LIFTED: Final = "lifted"
ASKED: Final = "asked"
APPROVED: Final = "approved"


class NotLifted(Exception):
    """Why an entry is not lifted. `next_step` says what to do instead."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Asked:
    """A lift that waits for a second person."""

    id: int
    suppression_id: int
    asked_at: datetime
    who: str
    reason: str


def by_hand(connection: Connection, number: int, now: datetime, who: str, reason: str, *, four_eyes: bool) -> str:
    """Lift an entry as an operator: an opt-out takes a reason, and with `four_eyes` a second person.

    Returns `LIFTED` or `ASKED`. Raises `NotLifted`.
    """
    row = _standing(connection, number)
    if row.cause == _OPT_OUT:
        if not reason:
            raise NotLifted(
                "the person opted out, so lifting it takes a reason", "Say who asked for it and where: --reason."
            )
        if four_eyes:
            _ask(connection, number, now, who, reason)
            return ASKED
    lift(connection, [(number, now)], now, who, reason or "by hand")
    return LIFTED


def approve(connection: Connection, number: int, now: datetime, who: str) -> int:
    """Lift the entry that request `number` is about, as a second person; return the entry's id. Raises `NotLifted`."""
    query = select(lift_requests).where(lift_requests.c.id == number)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    asked = connection.execute(query).first()
    if asked is None or asked.is_open != 1:
        raise NotLifted(f"there is no open request {number}", "`dlr suppress requests` lists them.")
    if asked.who.casefold() == who.casefold():
        raise NotLifted(f"{who} asked for it, and a second person has to agree", "Let somebody else approve it.")
    over = update(lift_requests).where(lift_requests.c.id == number)
    connection.execute(over.values(state=APPROVED, is_open=number, decided_at=now, decided_by=who))
    _standing(connection, asked.suppression_id)
    reason = f"{asked.reason} (asked for by {asked.who}, approved by {who})"
    lift(connection, [(asked.suppression_id, now)], now, f"{asked.who} and {who}", reason)
    return int(asked.suppression_id)


def withdraw(connection: Connection, number: int, now: datetime, who: str) -> bool:
    """Refuse a request, or take it back; whether it was open."""
    mine = update(lift_requests).where(lift_requests.c.id == number, lift_requests.c.is_open == 1)
    values = {"state": "withdrawn", "is_open": number, "decided_at": now, "decided_by": who}
    return connection.execute(mine.values(**values)).rowcount == 1


def requests(connection: Connection) -> list[Asked]:
    """Return the requests that wait, the oldest first."""
    query = select(lift_requests).where(lift_requests.c.is_open == 1).order_by(lift_requests.c.id)
    return [Asked(row.id, row.suppression_id, row.asked_at, row.who, row.reason) for row in connection.execute(query)]


def by_application(
    connection: Connection, row: Row[Any] | Any, now: datetime, who: str, *, evidence: str, at: datetime
) -> bool:
    """Lift an entry as an application tells: opt-outs on the evidence of an opt-in that happened at `at`.

    Whether it was lifted: an opt-in from before the opt-out lifts nothing. Raises `NotLifted`.
    """
    if row.cause in _BY_OPERATOR_ALONE:
        raise NotLifted("only an operator lifts it", f"Ask for: dlr suppress lift {row.id}")
    if row.cause in _BY_OPT_IN:
        if not evidence:
            raise NotLifted("it takes evidence that the person opted in again", "Add evidence and optedInAt.")
        if at <= row.event_at:
            return False
    lift(connection, [(row.id, at)], now, who, evidence or "told by the application")
    return True


def standing_of(connection: Connection, account: str, addresses: Sequence[bytes]) -> Sequence[Row[Any]]:
    """Return the entries that stand of these addresses."""
    query = select(suppressions).where(
        suppressions.c.account == account,
        suppressions.c.address.in_(addresses),
        suppressions.c.state.in_(STANDING),
    )
    return connection.execute(query.order_by(suppressions.c.id)).all()


def standing_by_id(connection: Connection, account: str, number: int) -> Sequence[Row[Any]]:
    """Return the entry of this id where it stands and is the account's."""
    query = select(suppressions).where(
        suppressions.c.id == number, suppressions.c.account == account, suppressions.c.state.in_(STANDING)
    )
    return connection.execute(query).all()


def _standing(connection: Connection, number: int) -> Row[Any]:
    row = connection.execute(select(suppressions).where(suppressions.c.id == number)).first()
    if row is None:
        raise NotLifted(f"there is no suppression {number}", "`dlr suppress list` shows the ids.")
    if row.state not in STANDING:
        raise NotLifted(f"suppression {number} is {row.state} already", f"`dlr suppress show {number}` says by whom.")
    return row


def _ask(connection: Connection, number: int, now: datetime, who: str, reason: str) -> None:
    row = {
        "id": new_id(),
        "suppression_id": number,
        "asked_at": now,
        "who": who[:128],
        "reason": reason,
        "state": "open",
        "is_open": 1,
        "decided_at": None,
    }
    if not insert_returning(connection, lift_requests, [row], ("id",)):
        raise NotLifted(
            f"somebody asked for suppression {number} to be lifted already", "`dlr suppress requests` shows who."
        )
