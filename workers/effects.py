"""Everything one slice writes, collected; `workers.writing` writes it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final

from codes import Outcome
from config.forwarding import NO_ENDPOINTS, Endpoints
from policy import Alert, Decision, Forward, Mode, Retry, Suppress
from policy.rules import Limits
from policy.surge import in_trouble
from reports import Event
from store import (
    events,
    guard,
    incidents,
    ledger,
    passes,
    people,
)
from store.failures import Failure
from store.messages import Message
from store.moments import to_ms
from store.pauses import Scope
from store.suppressions import Entry
from store.vault import Vault
from store.writes import Line
from workers import forwarding, rows
from workers.forwarding import Move
from workers.giving_up import is_the_end
from workers.prepare import Prepared
from workers.register import NOTHING, Register
from workers.scopes import paused_by
from workers.sighted import Sighted
from workers.tally import Tally

# Outcomes that end a message: what is counted of them decides over pauses, and over what the guard holds.
_FINAL: Final = frozenset({Outcome.DELIVERED.value, Outcome.FAILED.value})
_ACCOUNT, _MESSAGE, _EVENT = map(ledger.REPORT.index, ("account", "message_key", "event"))
_RECIPIENT, _RECEIVED = map(ledger.REPORT.index, ("recipient", "received_at"))


@dataclass(slots=True)
class Effects:
    """Everything one slice writes. Collected outside the statements, so that locks are taken in one order."""

    vault: Vault
    now: datetime
    limits: Limits
    tally: Tally
    now_ms: int = field(init=False)
    reports: list[Line] = field(default_factory=list)
    own_addresses: list[str] = field(default_factory=list)
    """Whose address each of `reports` holds itself; empty where it is among `addresses`."""
    decisions: list[Line] = field(default_factory=list)
    addresses: dict[bytes, people.Address] = field(default_factory=dict)
    changed: dict[bytes, Message] = field(default_factory=dict)
    new: set[bytes] = field(default_factory=set)
    """Keys of the messages that nothing was known of before."""
    gone: set[bytes] = field(default_factory=set)
    """Keys of the rows of messages that another one stands for now."""
    given: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)
    """Reports written earlier that are another message's after all: old key -> (new key, its recipient)."""
    entries: list[Entry] = field(default_factory=list)
    echoes: list[Entry] = field(default_factory=list)
    """What a list refused: it confirms entries and makes none."""
    guarded: guard.Tally = field(default_factory=guard.Tally)
    """What the guard against mass suppression counts."""
    retries: list[dict[str, Any]] = field(default_factory=list)
    sightings: list[incidents.Sighting] = field(default_factory=list)
    sighted: Sighted = field(default_factory=Sighted)
    """What alerts add to incidents."""
    failures: dict[bytes, list[Failure]] = field(default_factory=dict)
    """What says something about people, by address."""
    deliveries: dict[tuple[str, bytes], list[datetime]] = field(default_factory=dict)
    """Whenever something of this slice arrived at (channel, recipient)."""
    arrived: Mapping[tuple[str, bytes], datetime] = field(default_factory=dict)
    """When something last arrived at (channel, recipient), as far as it may be later than a failure of this slice."""
    channels: set[str] = field(default_factory=set)
    """Those in `arrived` and `deliveries`: there are few, so that nothing more is kept for each person."""
    _places: dict[bytes, list[int]] = field(default_factory=dict)
    """Where the first `_sorted` of `reports` are, by the key of their message: hardly a slice needs it."""
    _sorted: int = 0
    reached: set[bytes] = field(default_factory=set)
    register: Register = NOTHING
    settled: list[tuple[str, bytes, int]] = field(default_factory=list)
    """Attempts (account, message, number) that reports prove to have reached Infobip."""
    pauses: list[tuple[str, Scope, datetime, str]] = field(default_factory=list)
    """Scopes (account, which, until, why) in which nothing is resent for a while."""
    heard: list[passes.Heard] = field(default_factory=list)
    """How resends ended."""
    failed: set[bytes] = field(default_factory=set)
    """Keys of the messages for which a resend was planned."""
    given_up: dict[bytes, int] = field(default_factory=dict)
    """Messages that nothing follows: key -> the attempt that was their end."""
    opted_in: list[Prepared] = field(default_factory=list)
    endpoints: Endpoints = NO_ENDPOINTS
    moves: list[Move] = field(default_factory=list)
    outgoing: list[events.Event] = field(default_factory=list)
    parcels: list[dict[str, Any]] = field(default_factory=list)
    """Reports that go on to the URLs that applications named."""

    def __post_init__(self) -> None:
        """Work out once what every row has."""
        self.now_ms = to_ms(self.now)

    def add_report(self, number: int, item: Prepared, decision: Decision | None, *, apart: bool) -> None:
        """Keep the normalised report and its address. `apart` is what `is_apart` says of it."""
        outcome, cause = (decision.outcome, decision.cause) if decision else (Outcome.UNKNOWN, "")
        self.reports.append(rows.report_line(number, item, str(outcome), cause, apart=apart))
        alone = decision is not None and self._is_all_there_is(item, decision)
        self.own_addresses.append(item.report.recipient if alone else "")
        if not alone and item.recipient and item.recipient not in self.addresses:
            self.addresses[item.recipient] = (item.report.recipient, item.received_ms)

    def _is_all_there_is(self, item: Prepared, decision: Decision) -> bool:
        """Whether nothing but reports is kept of the person on account of this one: it arrived, and that was that.

        Where events are told or sends are registered, there may be more about anybody.
        """
        if self.register.in_use or self.endpoints.wanted or not (item.trusted and item.message_key):
            return False
        if item.report.event is not Event.DELIVERY or decision.outcome is not Outcome.DELIVERED:
            return False
        return Forward not in map(type, decision.actions)

    def keep_beside(self, people: Collection[bytes]) -> None:
        """Keep the addresses of these people beside their reports: of them there is more than reports."""
        for place, line in enumerate(self.reports) if people else ():
            address = self.own_addresses[place]
            if address and line[_RECIPIENT] in people:
                self.addresses.setdefault(line[_RECIPIENT], (address, line[_RECEIVED]))
                self.own_addresses[place] = ""

    @property
    def accounts(self) -> set[str]:
        """The accounts of the reports."""
        return {line[_ACCOUNT] for line in self.reports}

    def count_finals(self) -> None:
        """Let the guard know of what was final."""
        for account, scopes, bucket, reports in self.tally.finals():
            self.guarded.final(account, scopes, bucket, reports)

    def keep_new(self, message: Message) -> None:
        """Keep a message under a key that has no row, or whose row is gone."""
        self.changed[message.key] = message
        self.new.add(message.key)

    def forget(self, key: bytes) -> None:
        """Let there be no message under this key."""
        self.changed.pop(key, None)
        if key in self.new:
            self.new.remove(key)
        else:
            self.gone.add(key)

    def give_reports(self, old: bytes, to: Message) -> None:
        """Let what was reported under the key `old` be reports on the message `to`."""
        places = self._by_message()
        for place in places.pop(old, ()):
            self.reports[place] = rows.given_to(self.reports[place], to.key, to.recipient)
            places.setdefault(to.key, []).append(place)
        if old in self.gone:
            self.given[old] = (to.key, to.recipient)

    def has_delivery(self, key: bytes) -> bool:
        """Whether a delivery report of this slice is about the message of this key."""
        return any(self.reports[place][_EVENT] == Event.DELIVERY for place in self._by_message().get(key, ()))

    def _by_message(self) -> dict[bytes, list[int]]:
        for place in range(self._sorted, len(self.reports)):
            self._places.setdefault(self.reports[place][_MESSAGE], []).append(place)
        self._sorted = len(self.reports)
        return self._places

    def add_decision(self, number: int, item: Prepared, decision: Decision, purpose: Callable[[], str]) -> None:
        """Keep the decision, and collect what follows from it. `purpose` tells that of the message."""
        self.decisions.append(rows.decision_line(number, decision, self.now_ms))
        for action in decision.actions:
            match action:
                case Retry():
                    self.failed.add(item.message_key)
                    self._pause(item, action)
                    self.retries.append(rows.retry_row(number, item, action, self.now))
                case Suppress():
                    self._suppress(number, item, decision, action)
                case Alert():
                    self.sighted.add(item, decision, action, purpose())
                case Forward():
                    if action.mode is Mode.ACT:
                        self.outgoing.append(forwarding.matched(number, item, decision, action))
        if decision.outcome in _FINAL and item.report.event is Event.DELIVERY:
            self.tally.add(item, decision)
            if item.attempt and item.trusted:
                self._hear(item, decision)
        if self.register.in_use and is_the_end(item, decision, self.register):
            self.given_up[item.message_key] = max(item.attempt, self.given_up.get(item.message_key, 0))

    def _hear(self, item: Prepared, decision: Decision) -> None:
        """Keep how a resend did."""
        arrived = decision.outcome is Outcome.DELIVERED
        names = (item.report.account, item.message_key, item.attempt)
        self.heard.append(passes.Heard(*names, arrived, in_trouble(decision)))

    def note_move(self, item: Prepared, before: Message | None, decision: Decision | None) -> None:
        """Keep what the item did to its message, where an endpoint may want to know."""
        if not forwarding.OF_MESSAGES.isdisjoint(self.endpoints.wanted):
            move = forwarding.move_of(item, before, self.changed.get(item.message_key), decision)
            if move is not None:
                self.moves.append(move)

    def is_apart(self, item: Prepared, before: Message | None) -> bool:
        """Whether its message's recipient is another one than the item's, or not known."""
        message = self.changed.get(item.message_key, before)
        return message is None or message.recipient != item.recipient

    def _pause(self, item: Prepared, action: Retry) -> None:
        """Hold back what else would meet the same limit until this resend is due.

        What a late callback tells of is over if such a pause, begun when it happened, would be.
        """
        if action.mode is not Mode.ACT or action.due_at is None:
            return
        if item.event_at + (action.due_at - self.now) > self.now:
            for scope in paused_by(item.report, action.pause):
                self.pauses.append((item.report.account, scope, action.due_at, f"rule {action.rule}"))

    def _suppress(self, number: int, item: Prepared, decision: Decision, action: Suppress) -> None:
        entry = rows.entry_of(number, item, decision, action)
        if entry is not None:
            (self.echoes if action.confirms else self.entries).append(entry)

    def pass_on(self, made: dict[str, Any] | incidents.Sighting | None) -> None:
        """Collect what goes on to the URL that the application named, or why nothing can."""
        if isinstance(made, incidents.Sighting):
            self.sightings.append(made)
        elif made is not None:
            self.parcels.append(made)

    def arrived_since(self, recipient: bytes, at: datetime) -> tuple[str, ...]:
        """Return the channels on which something reached the person after `at`, as far as we know already."""
        return tuple(channel for channel in sorted(self.channels) if self._reached(channel, recipient, at))

    def _reached(self, channel: str, recipient: bytes, after: datetime) -> bool:
        before = self.arrived.get((channel, recipient))
        if before is not None and before > after:
            return True
        return any(moment > after for moment in self.deliveries.get((channel, recipient), ()))

    def add_failure(self, failure: Failure | None) -> None:
        """Keep a failure that says something about the person, and after which nothing has arrived that we know of."""
        if failure is not None and failure.channel not in self.arrived_since(failure.address, failure.at):
            self.failures.setdefault(failure.address, []).append(failure)

    def delivered_to(self, recipient: bytes) -> dict[str, list[datetime]]:
        """Return whenever something of this slice arrived at the person so far, by channel."""
        return {channel: times for channel in self.channels if (times := self.deliveries.get((channel, recipient)))}

    def failures_told(self) -> Iterator[Failure]:
        """Yield the failures that were kept, each with the moment from which it counts no longer, as far as known."""
        for failure in chain.from_iterable(self.failures.values()):
            later = [at for at in self.deliveries.get((failure.channel, failure.address), ()) if at > failure.at]
            yield failure._replace(reached_at=min(later)) if later else failure
