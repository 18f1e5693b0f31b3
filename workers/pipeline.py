"""One slice of reports from dedup to committed decisions, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from codes import Outcome
from codes.channels import UNKNOWN
from policy import Decision, History, Mode, Purpose, Rules, decide
from policy.counting import ABOUT_PEOPLE
from reports import Event
from reports.states import REACHED, is_hearsay
from reports.words import MENTION
from store import inbox, protections, repeats, sends, suppressions
from store.arrivals import last_arrivals
from store.database import Database
from store.events import endpoints_of
from store.ids import new_ids
from store.messages import Message
from store.vault import Vault
from workers.effects import Effects
from workers.failed import Failures
from workers.moves import Known, find_known, message_of, move, of_our_message
from workers.pace import ALONE, EXCLUSIVE, SHARED, Pace
from workers.passing import Passing
from workers.prepare import Prepared, Preparer
from workers.register import look_up, of_originals
from workers.repeated import never_seen
from workers.sightings import mentioned, without_channel
from workers.tally import Tally
from workers.writing import write


class LostLease(Exception):
    """Another worker has taken the callbacks over; nothing of this slice was written."""


class Pipeline:
    """Runs slices; holds what that takes."""

    def __init__(
        self, database: Database, vault: Vault, preparer: Preparer, rules: Rules, passing: Passing | None = None
    ) -> None:
        self._database = database
        self._vault = vault
        self._preparer = preparer
        self._passing = passing or Passing(vault)
        self.rules = rules
        self.pace = Pace(EXCLUSIVE if database.is_sqlite else SHARED)

    def run(self, owner: str, items: Sequence[Prepared], finished: Sequence[int], now: datetime) -> int:
        """Process `items` in one transaction, then mark the callbacks `finished` done; return how many were new.

        Raises `LostLease` where a callback is no longer this owner's, and `store.errors.Unavailable`.
        """
        callbacks = sorted({item.callback_id for item in items} | set(finished))

        def work(connection: Connection) -> int:
            endpoints = endpoints_of(connection)
            effects = Effects(self._vault, now, self.rules.limits, tally=self._tally(now), endpoints=endpoints)
            fresh = self._decide(connection, items, effects)
            write(connection, effects)
            if not inbox.still_mine(connection, owner, callbacks):
                raise LostLease
            if self._database.is_sqlite:
                self.pace.aim(EXCLUSIVE if effects.register.in_use else ALONE)
            return fresh

        # On PostgreSQL a power cut that undoes it brings the callbacks back with it. SQLite keeps those in another
        # file, where they may be done for good before this is.
        new = self._database.repeat(work, lasting=self._database.is_sqlite, by_keys=True)
        if finished and not inbox.finish(self._database, owner, finished):
            raise LostLease
        return new

    def _tally(self, now: datetime) -> Tally:
        # Where nothing is sent again, there is nothing to pause.
        return Tally.of(now, self.rules.limits.pause_window, counts=self.rules.modes["retry"] is Mode.ACT)

    def _decide(self, connection: Connection, items: Sequence[Prepared], effects: Effects) -> int:
        """Decide on the items that were never seen; return how many those are."""
        registers = sends.in_use(connection)
        keys = {key for item in items for key in item.message_keys}
        # By their own keys as well: a report may have been there before we knew whose resend it tells of.
        named = [item.message_key for item in items]
        if registers:
            items = of_originals(connection, items, self._vault)
            keys.update(key for item in items for key in item.message_keys)
        known, own = find_known(connection, keys)
        fresh = never_seen(connection, items, named, known, effects.now)
        if registers:
            effects.register = look_up(connection, fresh)
        past = _Past.read(connection, self._telling(fresh, known), effects.now)
        effects.arrived = past.arrived
        effects.channels.update(channel for channel, _ in past.arrived)
        for number, item in zip(new_ids(len(fresh)), fresh, strict=True):
            item = of_our_message(item, known, own, effects)
            message = message_of(item, known, own, effects)
            item = self._with_channel(item, message)
            self._one(number, item, message, past, effects)
        return len(fresh)

    def _telling(self, fresh: Sequence[Prepared], known: Known) -> list[Prepared]:
        """Return the items for which it matters what is known of their recipients."""
        named: set[bytes] = set()
        if any(item.report.channel == UNKNOWN for item in fresh):
            named |= {key for key, message in known.items() if message.channel != UNKNOWN or message.is_pointer}
            named |= {key for item in fresh if item.report.channel != UNKNOWN for key in item.message_keys}
        return [item for item in fresh if _tells_of_somebody(item, self.rules, named)]

    def _with_channel(self, item: Prepared, message: Message | None) -> Prepared:
        """Give an item that names no channel the one that its message is known by."""
        if item.report.channel != UNKNOWN or message is None or message.channel == UNKNOWN:
            return item
        if item.trusted and is_hearsay(message.legs):
            return item
        report = replace(item.report, channel=message.channel)
        return item.but(report=report, meaning=self._preparer.interpret(report).meaning)

    def _purpose(self, item: Prepared, message: Message | None) -> str:
        known = Purpose(message.purpose) if message else Purpose.UNDECLARED
        return self.rules.purposes.of(item.report, known).value

    def _one(self, number: int, item: Prepared, message: Message | None, past: "_Past", effects: Effects) -> None:
        decision = self._decision(item, message, past, effects)
        outcome = decision.outcome if decision else Outcome.UNKNOWN
        apart = False
        if item.message_key:
            move(item, message, outcome, effects)
            effects.note_move(item, message, decision)
            apart = effects.is_apart(item, message)
        effects.add_report(number, item, decision, apart=apart)
        effects.pass_on(self._passing.row(number, item, effects.register.sends.get(item.message_key), effects.now))
        if decision is not None:
            effects.add_decision(number, item, decision, lambda: self._purpose(item, message))
        if item.event is not None and item.event.lifts and item.recipient and item.trusted:
            effects.opted_in.append(item)
        if item.report.channel == UNKNOWN and item.report.event is Event.DELIVERY and not item.mistyped:
            effects.sightings.append(without_channel(item))
        if item.word == MENTION:
            effects.sightings.append(mentioned(item))

    def _decision(self, item: Prepared, message: Message | None, past: "_Past", effects: Effects) -> Decision | None:
        if item.meaning is None:
            return None
        certain = self.rules.case(item.meaning).certain(item.report)
        if certain is not None:
            return certain
        history = History(
            purpose=Purpose(message.purpose) if message else Purpose.UNDECLARED,
            resends=message.resends if message else 0,
            sent_at=message.first_at if message else None,
            reached=_is_reached(item, message),
            open_legs=bool(item.report.own_channel),
            failed=past.failures.before(
                item, effects.failures.get(item.recipient, ()), effects.delivered_to(item.recipient)
            ),
            excused=past.failures.excuse(item),
            suppressions=past.suppressed.get((item.recipient, item.meaning.cause), 0),
            failed_at=item.event_at,
            arrived_by=_disproved_by(item, effects),
            protected=(item.report.account, item.recipient) in past.protected,
            trusted=item.trusted,
        )
        history = effects.register.add_to(history, item)
        return decide(item.report, item.meaning, history, self.rules, effects.now)


def _is_reached(item: Prepared, message: Message | None) -> bool:
    # That a stranger said so is no reason not to act on what Infobip says.
    return message is not None and message.state in REACHED and not (item.trusted and is_hearsay(message.legs))


def _disproved_by(item: Prepared, effects: Effects) -> tuple[str, ...]:
    if item.meaning is None or item.meaning.cause not in suppressions.LIFTED_BY_DELIVERY:
        return ()
    return effects.arrived_since(item.recipient, item.event_at)


class _Past:
    """What is known of the recipients of a slice's failures."""

    def __init__(
        self,
        failures: Failures,
        suppressed: Mapping[tuple[bytes, str], int],
        arrived: Mapping[tuple[str, bytes], datetime],
        protected: Collection[tuple[str, bytes]],
    ) -> None:
        self.failures = failures
        self.suppressed = suppressed
        self.arrived = arrived
        self.protected = protected

    @classmethod
    def read(cls, connection: Connection, telling: Sequence[Prepared], now: datetime) -> "_Past":
        failed = [(item.report.account, item.recipient) for item in telling]
        since = min((item.event_at for item in telling), default=now)
        arrived = last_arrivals(connection, {address for _, address in failed}, since)
        times = repeats.times_suppressed(connection, failed, now)
        kept = protections.protected(connection, failed, now)
        return cls(Failures.read(connection, telling), times, arrived, kept)


def _tells_of_somebody(item: Prepared, rules: Rules, named: Collection[bytes]) -> bool:
    """Whether it depends on what is known of its recipient what is done, or kept, about it.

    That an account has no money, in report after report, says nothing about those whom its messages were for. `named`
    are the keys of messages that may lend their channel, and with it another meaning, to what names none.
    """
    if item.meaning is None or not item.recipient:
        return False
    if item.report.channel == UNKNOWN and item.message_key in named:
        return True
    case = rules.case(item.meaning)
    if item.report.event is Event.DELIVERY and not case.may_fail:
        return False
    return item.meaning.cause in ABOUT_PEOPLE or case.may_suppress
