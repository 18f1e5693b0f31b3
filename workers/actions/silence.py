"""Watched sends whose time is over: start the other channel where nothing arrived, and only where silence means that.

A delivery report that never comes cannot be decided on, so this is asked by the clock. What starts here is planned as
a resend like any other; whether it may leave is asked once more by the resender.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import Connection

from config.logs import log
from policy import Mode
from policy.durations import in_words
from policy.rules import Rule, Rules
from policy.schema import MOST_ATTEMPTS
from policy.silence import ENDS_IT, LATEST_INBOX, PATIENCE, SILENT_WINDOW, Hearing, deafness
from reports.states import REACHED, State
from store import inbox, incidents, ledger, messages, retries, sends, silences
from store.database import Database
from store.ids import new_id
from store.incidents import Sighting
from store.messages import Message
from store.sends import Send
from store.silences import DROPPED, FIRED, HEARD, HELD, Watch
from workers.context import Context
from workers.rows import RETRY_STATES

_LOG = log(__name__)
_AT_ONCE: Final = 100


def start_others(context: Context) -> int:
    """Look at every watched send whose time is over; return how many resends are planned to leave at once."""
    started = watch_once(context.database, context.policy.rules(), datetime.now(UTC))
    if started:
        _LOG.info("silence_broken", started=started)
    return started


def watch_once(database: Database, rules: Rules, now: datetime) -> int:
    """Settle what is due; return how many resends are planned to leave at once. Raises `store.errors.Unavailable`."""
    with database.reading() as connection:
        if not silences.is_due(connection, now):
            return 0
    started = 0
    while True:
        done = database.repeat(lambda connection: _Round(connection, rules, now).run())
        started += done.started
        if done.settled < _AT_ONCE:
            return started


@dataclass(slots=True)
class _Round:
    """One transaction's worth of watched sends."""

    connection: Connection
    rules: Rules
    now: datetime
    settled: int = 0
    started: int = 0
    age: timedelta = timedelta()
    known: Mapping[bytes, Message] = field(default_factory=dict)
    registered: Mapping[bytes, Send] = field(default_factory=dict)
    causes: Mapping[bytes, set[str]] = field(default_factory=dict)
    resends: Mapping[bytes, retries.Attempts] = field(default_factory=dict)

    def run(self) -> "_Round":
        """Settle up to `_AT_ONCE` of them."""
        rows = self._ready()
        keys = [row.key for row in rows]
        self.known = messages.find(self.connection, keys)
        heard = {row.key for row in rows if self._arrived(row)}
        self._settle(heard, HEARD)
        silent = [row for row in rows if row.key not in heard]
        keys = [row.key for row in silent]
        self.registered = sends.find(self.connection, keys)
        self.causes = ledger.causes_of(self.connection, keys)
        self.resends = retries.attempts_of(self.connection, {row.account for row in silent}, keys)
        for (account, channel), group in groupby(sorted(silent, key=_line), _line):
            self._of_line(account, channel, list(group))
        return self

    def _ready(self) -> list[Watch]:
        rows = silences.due(self.connection, self.now, _AT_ONCE)
        waiting, self.age = inbox.backlog(self.connection, self.now)
        if not waiting or self.age > LATEST_INBOX:
            return rows
        # What came in time may be the very delivery, so it is processed first.
        return [row for row in rows if row.due_at < self.now - self.age]

    def _arrived(self, row: Watch) -> bool:
        message = self.known.get(row.key)
        return message is not None and message.state in REACHED

    def _settle(self, keys: set[bytes], state: str) -> None:
        silences.settle(self.connection, keys, state)
        self.settled += len(keys)

    def _of_line(self, account: str, channel: str, rows: Sequence[Watch]) -> None:
        """Settle one channel's silent ones."""
        why = deafness(self._hearing(account, channel, len(rows)), self.rules.limits.callbacks_within)
        if why:
            incidents.note(self.connection, [_deaf(account, channel, why, self.now, len(rows))])
            self._settle({row.key for row in rows}, HELD)
            return
        fired = {row.key for row in rows if self._start(row)}
        self._settle(fired, FIRED)
        self._settle({row.key for row in rows} - fired, DROPPED)

    def _hearing(self, account: str, channel: str, silent: int) -> Hearing:
        within = self.rules.limits.callbacks_within
        last = silences.last_callback(self.connection, account, channel, self.now - within)
        before, all_before = silences.others(self.connection, account, channel, self.now - SILENT_WINDOW, self.now)
        return Hearing(
            inbox_age=self.age,
            since_last=None if last is None else self.now - last,
            silent=before + silent,
            watched=all_before + silent,
        )

    def _start(self, row: Watch) -> bool:
        """Plan the other channel; whether anything speaks for it still."""
        rule = next((one for one in self.rules.silences if one.id == row.rule), None)
        send = self.registered.get(row.key)
        if rule is None or send is None or self._objection(row, send):
            return False
        mode = self.rules.modes["retry"]
        attempt = self.resends.get(row.key, retries.Attempts()).furthest + 1
        if mode is Mode.ACT:
            # One of the two ways is enough, and this one is due now.
            note = f"{row.instead} is tried at once instead"
            retries.cancel(self.connection, [row.account], [row.key], self.now, note)
        if row.key not in self.known:
            # Reports on the resend are about this message, and may be the first that are heard of it.
            messages.save(self.connection, [_unheard(send)], {row.key}, self.now)
        retries.plan(self.connection, [_attempt(row, rule, mode, attempt, self.now)])
        self.started += mode is Mode.ACT
        return True

    def _objection(self, row: Watch, send: Send) -> bool:
        """Whether something forbids it, or makes it needless."""
        resends = self.resends.get(row.key, retries.Attempts())
        return (
            self.now - row.due_at > PATIENCE
            or not send.content
            or bool(send.obstacle)
            or bool(self.causes.get(row.key, set()) & ENDS_IT)
            or resends.under_way
            or resends.furthest >= MOST_ATTEMPTS
        )


def _line(row: Watch) -> tuple[str, str]:
    return row.account, row.channel


def _unheard(send: Send) -> Message:
    return Message(
        key=send.key,
        account=send.account,
        message_id=send.message_id,
        recipient=send.recipient,
        channel=send.channel,
        first_at=send.sent_at,
        legs={},
        state=State.PENDING,
        purpose=send.purpose,
        sender=send.sender,
    )


def _attempt(row: Watch, rule: Rule, mode: Mode, attempt: int, now: datetime) -> dict[str, object]:
    assert rule.on_silence is not None
    return {
        "id": new_id(),
        "account": row.account,
        "message_key": row.key,
        "recipient": row.recipient,
        "attempt": attempt,
        "report_id": 0,
        "state": RETRY_STATES[mode],
        "mode": mode.value,
        "rule": rule.id,
        "channel": row.instead,
        "due_at": now,
        "give_up_at": row.due_at + PATIENCE,
        "note": f"no delivery was reported within {in_words(rule.on_silence.after)}",
        "changed_at": now,
    }


def _deaf(account: str, channel: str, why: str, now: datetime, count: int) -> Sighting:
    return Sighting(
        account=account,
        key=f"silence-proves-nothing|channel={channel}",
        rule="silence-proves-nothing",
        severity="warning",
        title=f"No other channel is started for messages by {channel}, since callbacks are late themselves: {why}",
        next_step="See whether Infobip reaches this service (`dlr doctor`) and whether workers keep up. Where so few "
        "messages are sent that callbacks are rare, raise limits.callbacks_within in your policy.",
        at=now,
        count=count,
    )
