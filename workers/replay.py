"""Decide anew on what came in before, from the raw callbacks, under the rules and tables in force now.

Each report is decided on as of the moment it came in, with what was known then, so that only the rules and the tables
make a difference. Nobody is notified and nothing is forwarded.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from codes.channels import UNKNOWN
from infobip.inbound import InboundError
from policy import Decision, Retry, Rules, decide
from reports.states import REACHED
from store import corrections, people, replay
from store.ids import new_id
from store.inbox import Callback
from store.moments import to_ms
from store.suppressions import Entry
from store.views import Found, Wanted
from workers import rows
from workers.context import Context
from workers.past import Past, history_of
from workers.prepare import Prepared
from workers.register import Register, with_attempts
from workers.verdict import Verdict, entries, entries_before, verdict, verdict_of_row

PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One report that is decided on differently now."""

    report: Found
    item: Prepared
    before: Verdict | None
    after: Verdict
    decision: Decision
    withdrawn: tuple[Entry, ...]
    imposed: tuple[Entry, ...]
    message: Any
    register: Register


@dataclass(slots=True)
class Survey:
    """What a replay met and would change, or did."""

    reports: int = 0
    same: int = 0
    undecided: int = 0
    """Reports on which there is nothing to decide: seen, clicks, and the like."""
    gone: int = 0
    """Reports whose raw callback is no longer kept."""
    unreadable: int = 0
    changes: Counter[tuple[Verdict | None, Verdict]] = field(default_factory=Counter)
    lifted: int = 0
    suppressed: int = 0
    resends: int = 0
    cancelled: int = 0

    @property
    def changed(self) -> int:
        """How many decisions differ."""
        return self.changes.total()


class Overtaken(Exception):
    """Another replay with the same options runs at the same time; nothing of this page was written."""


@dataclass(slots=True)
class Replay:
    """One replay: which reports, up to which, and how far it came."""

    context: Context
    wanted: Wanted
    name: str
    rules: Rules
    """Those in force when it began: a change of the policy meanwhile is for the next replay."""
    resend: bool = False
    after: int = 0
    last: int = 0
    resumed: bool = False
    _progress: str | None = None

    @classmethod
    def open(cls, context: Context, wanted: Wanted, name: str, *, resend: bool, restart: bool = False) -> "Replay":
        """Begin a replay, or go on with the one of this name that was broken off under the same rules and tables."""
        self = cls(context, wanted, name, context.policy.rules(), resend, replay.first_id(wanted), new_id())
        with context.database.reading() as connection:
            self._progress = replay.read_progress(connection, name)
        kept = json.loads(self._progress) if self._progress else {}
        if not restart and kept.get("rules") == self._versions:
            self.after, self.last, self.resumed = kept["after"], kept["last"], True
        return self

    @property
    def _versions(self) -> str:
        return f"{self.rules.version} {self.context.codes.tables.hash}"

    def survey(self) -> Survey:
        """Return what would change, without changing anything."""
        survey = Survey()
        after = self.after
        while page := self._read(after, PAGE):
            self._compare(page, survey)
            after = page[-1]["id"]
        return survey

    def run(self, rate: int, told: Callable[[Survey], None] = lambda survey: None) -> Survey:
        """Write what changes, at most `rate` reports a second; `told` hears of each page. Raises `Overtaken`.

        Each page is one transaction that also keeps how far it came: broken off at any moment, the next run goes on.
        """
        survey = Survey()
        begin = time.monotonic()
        while page := self._read(self.after, min(PAGE, rate)):
            changes = self._compare(page, survey)
            self._write(changes, page[-1]["id"], survey)
            told(survey)
            time.sleep(max(0.0, begin + survey.reports / rate - time.monotonic()))
        self.end()
        return survey

    def end(self) -> None:
        """Forget how far it came: there is nothing left to do."""
        if (old := self._progress) is not None:
            self.context.database.repeat(lambda connection: replay.move_progress(connection, self.name, old, None))
            self._progress = None

    def _read(self, after: int, most: int) -> list[Found]:
        with self.context.database.reading() as connection:
            return replay.page(connection, self.wanted, after, self.last, most)

    def _compare(self, page: Sequence[Found], survey: Survey) -> list[Change]:
        """Decide on a page of reports anew, outside of any transaction; return those that differ."""
        survey.reports += len(page)
        with self.context.database.reading() as connection:
            kept = replay.callbacks(connection, self.context.vault, (row["callback_id"] for row in page))
            read = dict(self._items(page, kept, survey))
            # Which attempt a report is about only its own id tells, and its message's key stands in place of that.
            told = dict(zip(read, with_attempts(connection, list(read.values())), strict=True))
            items = {row["id"]: self._settled(told[row["id"]], row) for row in page if row["id"] in told}
            past = Past.read(connection, list(items.values()))
        found = []
        for row in page:
            item = items.get(row["id"])
            if item is None:
                continue
            change = self._change(row, item, past)
            if change is None:
                survey.undecided += 1
            elif change.before == change.after:
                survey.same += 1
            else:
                survey.changes[change.before, change.after] += 1
                found.append(change)
        return found

    def _items(
        self, page: Sequence[Found], kept: Mapping[int, Callback], survey: Survey
    ) -> Iterator[tuple[int, Prepared]]:
        read: dict[int, dict[int, Prepared]] = {}
        for row in page:
            number = row["callback_id"]
            if number not in kept:
                survey.gone += 1
                continue
            if number not in read:
                read[number] = self._prepare(kept[number])
            item = read[number].get(row["item_index"])
            if item is None:
                survey.unreadable += 1
            else:
                yield row["id"], item

    def _prepare(self, callback: Callback) -> dict[int, Prepared]:
        try:
            return {item.index: item for item in self.context.preparer.prepare(callback)}
        except InboundError:
            return {}

    def _change(self, row: Found, item: Prepared, past: Past) -> Change | None:
        message = past.messages.get(item.message_key)
        if item.meaning is None:
            return None
        history = past.history(item, row["id"])
        decision = decide(item.report, item.meaning, history, self.rules, item.received_at)
        before = verdict_of_row(row)
        after = verdict(decision, item.received_at)
        old, new = entries_before(row, item), entries(row["id"], item, decision)
        keys = {(entry.scope, entry.cause) for entry in new}
        withdrawn = tuple(entry for entry in old if (entry.scope, entry.cause) not in keys)
        return Change(row, item, before, after, decision, withdrawn, tuple(new), message, past.register)

    def _settled(self, item: Prepared, row: Found) -> Prepared:
        """Return an item as its report was counted: whose it is, and by which channel where it names none."""
        item = _owned(item, row)
        if item.report.channel != UNKNOWN or row["channel"] == UNKNOWN:
            return item
        report = replace(item.report, channel=row["channel"])
        return item.but(report=report, meaning=self.context.preparer.interpret(report).meaning)

    def _write(self, changes: Sequence[Change], last: int, survey: Survey) -> None:
        now = datetime.now(UTC)
        done: Counter[str] = Counter()
        after = json.dumps({"after": last, "last": self.last, "rules": self._versions})

        def work(connection: Connection) -> None:
            done.clear()
            told = {change.report["id"]: (change.after.outcome, change.after.cause) for change in changes}
            at = to_ms(now)
            made = [rows.decision_line(change.report["id"], change.decision, at, replay=True) for change in changes]
            corrections.write_decisions(connection, made, told)
            for change in sorted(changes, key=lambda change: (change.item.report.account, change.item.recipient)):
                self._correct(connection, change, now, done)
            people.keep(connection, self.context.vault, self._addresses(changes))
            if not replay.move_progress(connection, self.name, self._progress, after):
                raise Overtaken

        self.context.database.repeat(work)
        self._progress, self.after = after, last
        for name, number in done.items():
            setattr(survey, name, getattr(survey, name) + number)

    def _addresses(self, changes: Sequence[Change]) -> dict[bytes, people.Address]:
        """Return whom the changes are about: what follows from them may ask for an address that only reports hold."""
        found: dict[bytes, people.Address] = {}
        for item in (change.item for change in changes if change.imposed or self.resend):
            # A report may be about another side than the one it names; then that is known from elsewhere.
            report = item.report
            if report.recipient and self.context.vault.hash_address(report.account, report.recipient) == item.recipient:
                found[item.recipient] = (report.recipient, item.received_ms)
        return found

    def _correct(self, connection: Connection, change: Change, now: datetime, done: Counter[str]) -> None:
        number = change.report["id"]
        for entry in change.withdrawn:
            done["lifted"] += corrections.withdraw(connection, number, entry, now)
        for entry in change.imposed:
            done["suppressed"] += corrections.impose(connection, number, entry, now)
        if change.decision.find(Retry) is None:
            done["cancelled"] += corrections.drop_resends(connection, number, now)
        elif self.resend:
            done["resends"] += self._resend(connection, change, now)

    def _resend(self, connection: Connection, change: Change, now: datetime) -> bool:
        """Plan the resend as of now: what has lost its worth meanwhile, has arrived, or is unwanted stays unsent."""
        item, message = change.item, change.message
        if message is None or item.meaning is None or message.state in REACHED:
            return False
        if corrections.is_suppressed(connection, item.report.account, item.recipient, now):
            return False
        history = change.register.add_to(history_of(item, message, reached=False), item)
        retry = decide(item.report, item.meaning, history, self.rules, now).find(Retry)
        if not isinstance(retry, Retry) or retry.due_at is None or not item.trusted:
            return False
        return corrections.plan_resend(connection, rows.retry_row(change.report["id"], item, retry, now))


def _owned(item: Prepared, row: Found) -> Prepared:
    """Whose it is was settled with the rest of its message, and stays so."""
    return item.but(message_key=row["message_key"], other_key=b"", recipient=row["recipient"])
