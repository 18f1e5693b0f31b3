"""One slice of reports from dedup to committed decisions, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from codes import Outcome
from codes.channels import UNKNOWN
from policy import Decision, History, Purpose, Rules, decide
from reports import Event, normalise
from reports.states import REACHED, State, moved, told_by
from reports.words import MENTION
from store import failures, inbox, ledger, messages, suppressions
from store.database import Database
from store.ids import new_ids
from store.messages import Message
from store.vault import Vault
from workers.effects import Effects
from workers.pace import EXCLUSIVE, SHARED, Pace
from workers.prepare import Prepared, Preparer
from workers.sightings import mentioned, without_channel

_DUPLICATE: Final = "duplicate"


class LostLease(Exception):
    """Another worker has taken the callbacks over; nothing of this slice was written."""


class Pipeline:
    """Runs slices; holds what that takes."""

    def __init__(self, database: Database, vault: Vault, preparer: Preparer, rules: Rules) -> None:
        self._database = database
        self._vault = vault
        self._preparer = preparer
        self.rules = rules
        self.pace = Pace(EXCLUSIVE if database.is_sqlite else SHARED)

    def run(self, owner: str, items: Sequence[Prepared], finished: Sequence[int], now: datetime) -> int:
        """Process `items` and mark the callbacks `finished` done, all in one transaction; return how many were new.

        Raises `LostLease` where a callback is no longer this owner's, and `store.errors.Unavailable`.
        """
        unfinished = sorted({item.callback_id for item in items} - set(finished))

        def work(connection: Connection) -> int:
            effects = Effects(self._vault, now)
            fresh = self._fresh(connection, items, now)
            self._decide(connection, fresh, effects)
            effects.write(connection)
            if not inbox.finish(connection, owner, finished):
                raise LostLease
            if unfinished and not inbox.still_mine(connection, owner, unfinished):
                raise LostLease
            return len(fresh)

        # A power cut that undoes it brings the callbacks back with it, to be processed again.
        return self._database.repeat(work, lasting=False)

    def _fresh(self, connection: Connection, items: Sequence[Prepared], now: datetime) -> list[Prepared]:
        """Return the items that were never seen, each once."""
        new = ledger.unseen(connection, [(item.report.account, item.fingerprint) for item in items], now)
        fresh = []
        for item in items:
            key = (item.report.account, item.fingerprint)
            if key in new:
                new.remove(key)
                fresh.append(item)
        return fresh

    def _decide(self, connection: Connection, fresh: Sequence[Prepared], effects: Effects) -> None:
        known = messages.find(connection, (key for item in fresh for key in item.message_keys))
        past = _Past.read(connection, fresh, effects.now)
        for number, item in zip(new_ids(len(fresh)), fresh, strict=True):
            item = _of_our_message(item, known | effects.changed if item.other_key else known)
            message = effects.changed.get(item.message_key) or known.get(item.message_key)
            item = self._with_channel(item, message)
            self._one(number, item, message, past, effects)

    def _with_channel(self, item: Prepared, message: Message | None) -> Prepared:
        """Give an item that names no channel the one that its message is known by."""
        if item.report.channel != UNKNOWN or message is None or message.channel == UNKNOWN:
            return item
        report = replace(item.report, channel=message.channel)
        return replace(item, report=report, meaning=self._preparer.interpret(report).meaning)

    def _one(self, number: int, item: Prepared, message: Message | None, past: "_Past", effects: Effects) -> None:
        decision = self._decision(item, message, past, effects.now)
        outcome = decision.outcome if decision else Outcome.UNKNOWN
        effects.add_report(number, item, outcome.value, decision.cause if decision else "")
        if decision is not None:
            effects.add_decision(number, item, decision)
        if item.message_key:
            _move(item, message, outcome, effects)
        if item.event is not None and item.event.lifts and item.recipient and item.trusted:
            effects.opted_in.append(item)
        if item.report.channel == UNKNOWN and item.report.event is Event.DELIVERY:
            effects.sightings.append(without_channel(item))
        if item.word == MENTION:
            effects.sightings.append(mentioned(item))

    def _decision(self, item: Prepared, message: Message | None, past: "_Past", now: datetime) -> Decision | None:
        if item.meaning is None:
            return None
        history = History(
            purpose=Purpose(message.purpose) if message else Purpose.UNDECLARED,
            resends=message.resends if message else 0,
            sent_at=message.first_at if message else None,
            reached=message is not None and message.state in REACHED,
            open_legs=bool(item.report.own_channel),
            failure_days=past.failures.get((item.recipient, item.report.channel), ()),
            suppressions=past.suppressed.get((item.recipient, item.meaning.cause), 0),
            failed_at=item.event_at,
            trusted=item.trusted,
        )
        return decide(item.report, item.meaning, history, self.rules, now)


def _of_our_message(item: Prepared, known: Mapping[bytes, Message]) -> Prepared:
    """Give a seen report the message it is about: products differ in which side they call sender and recipient."""
    if item.message_key in known or not item.other_key or item.other_key not in known:
        return item
    report = replace(item.report, recipient=normalise(item.report.sender), sender="")
    return replace(item, report=report, message_key=item.other_key, recipient=known[item.other_key].recipient)


class _Past:
    """What is known of the recipients of a slice's failures."""

    def __init__(
        self, failures: Mapping[tuple[bytes, str], tuple[datetime, ...]], suppressed: Mapping[tuple[bytes, str], int]
    ) -> None:
        self.failures = failures
        self.suppressed = suppressed

    @classmethod
    def read(cls, connection: Connection, items: Iterable[Prepared], now: datetime) -> "_Past":
        failed = [(item.report.account, item.recipient) for item in items if _may_suppress(item)]
        return cls(failures.of(connection, failed), suppressions.times_suppressed(connection, failed, now))


def _may_suppress(item: Prepared) -> bool:
    if item.meaning is None or not item.recipient:
        return False
    return item.report.event is not Event.DELIVERY or item.meaning.outcome is Outcome.FAILED


def _move(item: Prepared, message: Message | None, outcome: Outcome, effects: Effects) -> None:
    """Move the message's state, and note what follows from that for its recipient."""
    told = told_by(item.report, outcome.value)
    if told is None:
        return
    report = item.report
    if item.meaning is not None and item.meaning.cause == _DUPLICATE:
        # The refused copy says nothing about the message that has the id already.
        if message is not None:
            return
        told = State.UNKNOWN
    before = message or Message(
        key=item.message_key,
        account=report.account,
        message_id=report.message_id,
        recipient=item.recipient,
        channel=report.channel,
        first_at=item.received_at,
        legs={},
        state=State.UNKNOWN,
    )
    legs = moved(before.legs, report.own_channel, told, item.event_at)
    after = before.with_legs(legs)
    # Only a delivery report surely names our side as its sender; a seen report's may be the person.
    if report.event is Event.DELIVERY and (report.sender, report.mcc_mnc) != (before.sender, before.mcc_mnc):
        after = after._replace(sender=report.sender or before.sender, mcc_mnc=report.mcc_mnc or before.mcc_mnc)
    if message is None:
        effects.new.add(item.message_key)
    if after != message:
        effects.changed[item.message_key] = after
    if told in REACHED and item.trusted:
        _reached(item, effects)
    elif told is State.FAILED and after.state is State.FAILED and item.recipient and item.trusted:
        effects.failures.append((report.account, item.recipient, report.channel, item.event_at))


def _reached(item: Prepared, effects: Effects) -> None:
    effects.reached.add(item.message_key)
    if item.recipient:
        key = (item.report.channel, item.recipient)
        effects.delivered[key] = max(item.event_at, effects.delivered.get(key, item.event_at))
