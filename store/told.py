"""What changes in the database are as events: suppressions, resends, incidents, and messages that end without a report.

Each function costs one look into a dictionary where no endpoint wants such events.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from config.events import (
    ADDED,
    CHANGED,
    ENDED,
    FAILED,
    LIFTED,
    OPENED,
    PROPOSED,
    RESEND_ENDED,
    RESEND_REFUSED,
    RESEND_SENT,
    RESEND_WAITING,
    RESOLVED,
)
from config.mask import mask_text
from reports.states import State, attempt_of
from store import events
from store.about import about
from store.events import Event
from store.moments import from_ms, to_ms
from store.schema import incidents, messages, reports, retries, suppressions
from store.writes import select_in

# What became of a suppression, by the state that it has after the change; every other state ends it.
_BY_STATE: Final = {"active": ADDED, "proposed": PROPOSED, "held": PROPOSED}
ENDING: Final = ("active", "proposed")
"""States in which a suppression's time can run out."""
# Changes of a suppression's row that change nothing for the person.
_NO_NEWS: Final = frozenset({"evidence removed", "trail cut"})
_BY_RESEND: Final = {
    "waiting": RESEND_WAITING,
    "accepted": RESEND_SENT,
    "refused": RESEND_REFUSED,
    "cancelled": RESEND_ENDED,
    "expired": RESEND_ENDED,
}
_OVER: Final = ("cancelled", "expired", "refused", "observed")
# Only what would have been acted on is told of.
_MEANT: Final = ("act", "by_hand", "propose")
# Codes, price and the like of a report, as they are called outside.
_FACTS: Final = {
    "bulk_id": "bulkId",
    "status": "status",
    "error": "error",
    "smtp": "smtp",
    "sender": "sender",
    "mcc_mnc": "network",
    "price": "price",
    "currency": "currency",
    "count": "count",
    "campaign": "campaign",
    "application": "applicationId",
    "entity": "entityId",
}
_CODE: Final = {"group_id": "groupId", "group": "groupName"}


def facts_told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `reports.facts` keeps of a report as events show it."""
    told = {outside: facts[inside] for inside, outside in _FACTS.items() if inside in facts}
    for name in ("status", "error"):
        if name in told:
            told[name] = {_CODE.get(key, key): value for key, value in told[name].items()}
    return told


def suppressions_changed(connection: Connection, changes: Sequence[tuple[int, int, str, str]], at: datetime) -> None:
    """Tell of changes, each (id of its line in the trail, suppression, change, detail). Call it after the change.

    What is over by `at`, since what it is about happened long ago, ends with that (`store.ended` tells of the rest).
    """
    if not changes or not events.wanted(connection, ADDED, CHANGED, PROPOSED, LIFTED, ENDED):
        return
    known = {row.id: row for row in select_in(connection, suppressions, "id", [of for _, of, _, _ in changes])}
    news = [one for one in changes if one[1] in known and one[2] not in _NO_NEWS]
    events.note(connection, [_suppression(line, known[of], change, what, at) for line, of, change, what in news], at)
    changed = [known[number] for number in {of for _, of, _, _ in news}]
    over = [row for row in changed if row.state in ENDING and row.until is not None and row.until <= to_ms(at)]
    suppressions_ended(connection, over, at)


def _suppression(line: int, row: Any, change: str, detail: str, at: datetime) -> Event:
    kind = _BY_STATE.get(row.state, LIFTED)
    if kind == ADDED and change == "prolonged":
        kind = CHANGED
    data = _entry(row, change, row.state, detail)
    return _about(row, kind, at, (line,), data)


def suppressions_ended(connection: Connection, rows: Sequence[Any], at: datetime) -> int:
    """Tell of entries that have come to their end, each once for each end that it has; return how many are news."""
    return events.note(connection, map(_end, rows), at)


def _end(row: Any) -> Event:
    until = row.until if isinstance(row.until, int) else to_ms(row.until)
    return _about(row, ENDED, from_ms(until), (row.id, until), _entry(row, "ended", "ended", "its time is over"))


def _entry(row: Any, change: str, state: str, detail: str) -> dict[str, Any]:
    return {
        "suppressionId": str(row.id),
        "change": change,
        "state": state,
        "cause": row.cause,
        "rule": row.rule,
        "origin": row.origin,
        "covers": {
            "channel": row.channel or "all",
            "sender": row.sender or "all",
            "campaign": row.campaign or "all",
            "purpose": row.purpose or "all",
        },
        "since": _iso(row.since),
        "until": _iso(row.until),
        "reason": mask_text(detail),
    }


def _about(row: Any, kind: str, at: datetime, about: tuple[int, ...], data: Mapping[str, Any]) -> Event:
    return Event(
        kind=kind,
        account=row.account,
        channel=row.channel,
        at=at,
        about=about,
        data=data,
        recipient=bytes(row.address),
    )


def _iso(moment: int | datetime | None) -> str | None:
    if moment is None:
        return None
    return iso(from_ms(moment) if isinstance(moment, int) else moment)


def iso(moment: datetime) -> str:
    """Return a time as events show it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def resends_changed(connection: Connection, numbers: Iterable[int], at: datetime) -> None:
    """Tell of resends, by the state that they are in now, and of messages for which nothing is left."""
    wanted = list(numbers)
    if not wanted or not events.wanted(connection, FAILED, *_BY_RESEND.values()):
        return
    rows = [row for row in select_in(connection, retries, "id", wanted) if row.mode in _MEANT]
    known = {row.key: row for row in select_in(connection, messages, "key", {row.message_key for row in rows})}
    found = [_resend(row, known.get(row.message_key), at) for row in rows if row.state in _BY_RESEND]
    events.note(connection, found, at)
    ended = {row.message_key for row in rows if row.state in _OVER}
    messages_ended(connection, ended, at)


def _resend(row: Any, message: Any, at: datetime) -> Event:
    data = {
        "resendId": str(row.id),
        "messageId": message.message_id if message else "",
        "newMessageId": row.new_id,
        "attempt": row.attempt,
        "state": row.state,
        "rule": row.rule,
        "reason": mask_text(row.note),
        "giveUpAt": _iso(row.give_up_at),
    }
    return Event(
        kind=_BY_RESEND[row.state],
        account=row.account,
        channel=row.channel or (message.channel if message else ""),
        at=at,
        # A resend may wait, be sent and be refused more than once, but each change has its moment.
        about=(row.id, row.state, row.changed_at),
        data=data,
        recipient=bytes(row.recipient),
        message_key=bytes(row.message_key),
    )


def messages_ended(connection: Connection, keys: Iterable[bytes], at: datetime) -> None:
    """Tell of those of these messages that have failed and will not be sent again."""
    wanted = set(keys)
    if not wanted or not events.wanted(connection, FAILED):
        return
    failed = [row for row in select_in(connection, messages, "key", wanted) if row.state == State.FAILED.value]
    attempts = {bytes(row.key): furthest(json.loads(row.legs)) for row in failed}
    alive = still_open(connection, {row.account for row in failed}, attempts)
    found = [_ended(connection, row, attempts[bytes(row.key)], at) for row in failed if bytes(row.key) not in alive]
    events.note(connection, found, at)


def furthest(legs: Iterable[str]) -> int:
    """Return the number of the furthest attempt among the names of legs."""
    return max(map(attempt_of, legs), default=0)


def still_open(connection: Connection, accounts: Iterable[str], attempts: Mapping[bytes, int]) -> set[bytes]:
    """Return which of these messages may still be sent again, or were and nothing is known of it yet.

    `accounts` are those that the messages belong to; `attempts`: key of a message -> the
    furthest of its attempts that failed.
    """
    if not attempts:
        return set()
    columns = (retries.c.message_key, retries.c.attempt)
    theirs = retries.c.account.in_(sorted(set(accounts))) & retries.c.message_key.in_(sorted(attempts))
    query = select(*columns).where(theirs, retries.c.mode.in_(_MEANT), retries.c.state.not_in(_OVER))
    rows = connection.execute(query).all()
    return {bytes(row.message_key) for row in rows if row.attempt > attempts[bytes(row.message_key)]}


def _ended(connection: Connection, row: Any, attempt: int, at: datetime) -> Event:
    told = about([bytes(row.key)]) & (reports.c.outcome == State.FAILED.value)
    last = connection.execute(select(reports).where(told).order_by(reports.c.id.desc()).limit(1)).first()
    facts = facts_told(json.loads(last.facts)) if last else {}
    return message_event(
        FAILED,
        account=row.account,
        channel=row.channel,
        key=bytes(row.key),
        recipient=bytes(row.recipient),
        attempt=attempt,
        at=last.event_at if last else at,
        data={"messageId": row.message_id, "state": row.state, "cause": last.cause if last else "", **facts},
    )


def message_event(
    kind: str,
    *,
    account: str,
    channel: str,
    key: bytes,
    recipient: bytes,
    attempt: int,
    at: datetime,
    data: Mapping[str, Any],
) -> Event:
    """Return what is told of a message's state: once for each attempt, whoever finds it out first."""
    return Event(
        kind=kind,
        account=account,
        channel=channel,
        at=at,
        about=(key, attempt),
        data={**data, "attempt": attempt},
        recipient=recipient,
        message_key=key,
    )


def incidents_opened(connection: Connection, numbers: Iterable[int], at: datetime) -> None:
    """Tell that incidents opened."""
    _incidents(connection, numbers, OPENED, at)


def incidents_resolved(connection: Connection, numbers: Iterable[int], at: datetime) -> None:
    """Tell that incidents which had been open are over."""
    _incidents(connection, numbers, RESOLVED, at)


def _incidents(connection: Connection, numbers: Iterable[int], kind: str, at: datetime) -> None:
    wanted = sorted(numbers)
    if not wanted or not events.wanted(connection, kind):
        return
    found = [_incident(row, kind, at) for row in select_in(connection, incidents, "id", wanted)]
    events.note(connection, found, at)


def _incident(row: Any, kind: str, at: datetime) -> Event:
    data = {
        "incidentId": str(row.id),
        "severity": row.severity,
        "rule": row.rule,
        "title": row.title,
        "nextStep": row.next_step,
        "count": row.count,
        "firstAt": _iso(row.first_at),
        "lastAt": _iso(row.last_at),
        "examples": json.loads(row.examples),
    }
    return Event(kind=kind, account=row.account, at=at, about=(row.id,), data=data)
