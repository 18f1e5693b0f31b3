"""What happens to a send: the rule, the fault or the answer, the book and the reports that follow."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from codes import Row
from infobip.simulator.answers import Verdict, answer_of, bulk_id_of
from infobip.simulator.blocklist import Blocklist
from infobip.simulator.book import ACCEPTED, DUPLICATE, REJECTED, Book, Entry, Message
from infobip.simulator.clock import Clock, stamp
from infobip.simulator.coding import NO_ERROR, find
from infobip.simulator.devices import Devices
from infobip.simulator.endpoints import Endpoint
from infobip.simulator.reporting import Reporting
from infobip.simulator.rules import Case, Rules
from infobip.simulator.scenario import Rule, Step
from infobip.simulator.shapes import Report, price_of
from infobip.simulator.submission import Batch, Submission
from infobip.simulator.suppressions import Suppressions

_DUPLICATE: Final = "REJECTED_DUPLICATE_MESSAGE_ID"
_BLOCKLISTED: Final = "REJECTED_DESTINATION_BLOCKLISTED"
_BLOCKLISTED_ERROR: Final = "EC_BLACKLISTED_DESTINATIONADDRESS"
_BAD_NUMBER: Final = "REJECTED_DESTINATION"
_NO_MONEY: Final = "REJECTED_NOT_ENOUGH_CREDITS"
_DEVICE_OFF: Final = "EC_REGISTRATION_ID_DISABLED"
_BY_NUMBER: Final = frozenset({"sms", "voice", "mms", "viber", "rcs", "whatsapp"})


@dataclass(frozen=True, slots=True)
class Plan:
    """A message with the rule that applies to it."""

    case: Case
    rule: Rule

    @property
    def key(self) -> str:
        """What the chances of this message hang on."""
        return self.case.key


@dataclass(frozen=True, slots=True)
class _Judgement:
    status: Row
    error: Row
    outcome: str
    steps: Sequence[Step]


class Sending:
    """Decides about sends and keeps what was decided. Safe to share between threads: the book's lock is held."""

    def __init__(
        self,
        clock: Clock,
        book: Book,
        reporting: Reporting,
        blocklist: Blocklist,
        suppressions: Suppressions,
        devices: Devices,
    ) -> None:
        self._clock = clock
        self._book = book
        self._reporting = reporting
        self._blocklist = blocklist
        self._suppressions = suppressions
        self._devices = devices
        self._number = 0
        self.spent = 0.0

    def plan(self, endpoint: Endpoint, batch: Batch, rules: Rules) -> list[Plan]:
        """Choose the rule of each message; every one counts as a try."""
        now = self._clock.now()
        otherwise = Rule("", reports=rules.scenario.otherwise)
        found = []
        with self._book.lock:
            for one in batch.submissions:
                pair = self._book.key(one)
                self._book.tries[pair] += 1
                attempt, request = self._book.attempts[pair] + 1, self._book.tries[pair]
                case = Case(one, endpoint.channel, _key(one, request), attempt, request)
                found.append(Plan(case, rules.for_message(case, now) or otherwise))
        return found

    def accept(
        self, endpoint: Endpoint, path: str, batch: Batch, plans: Sequence[Plan], rules: Rules, *, answered: bool
    ) -> dict[str, Any]:
        """Take the messages of a request; return what the endpoint answers, whether or not it will be heard."""
        with self._book.lock:
            bulk_id = bulk_id_of(endpoint, batch.bulk_id, len(plans), self._book.new_id())
            before = frozenset(name for name in self._ids(plans) if name in self._book.messages)
            shared: dict[str, str] = {}
            verdicts = [
                self._accept_one(endpoint, path, plan, rules, bulk_id, before, shared, answered) for plan in plans
            ]
        return answer_of(endpoint, verdicts, bulk_id)

    def _ids(self, plans: Sequence[Plan]) -> list[str]:
        return [plan.case.submission.message_id for plan in plans if plan.case.submission.message_id]

    def _accept_one(
        self,
        endpoint: Endpoint,
        path: str,
        plan: Plan,
        rules: Rules,
        bulk_id: str,
        before: frozenset[str],
        shared: dict[str, str],
        answered: bool,
    ) -> Verdict:
        one = plan.case.submission
        message_id = one.message_id or self._book.new_id()
        if one.id_group:
            message_id = shared.setdefault(one.id_group, message_id)
        is_known = message_id in before or (message_id in self._book.messages and not one.id_group)
        judged = self._judge(endpoint, plan, rules, is_known)
        self._book.note(_entry(path, plan, judged, message_id, bulk_id, answered))
        if judged.outcome != DUPLICATE:
            self._keep(endpoint, plan, rules, judged, message_id, bulk_id)
        elif judged.steps:
            # The report of a duplicate is about the same id, but not about the message that has it.
            copy = self._message(endpoint, plan, rules, judged, message_id, bulk_id)
            self._reporting.plan(copy, judged.steps, rules, plan.key)
        return Verdict(one, message_id, judged.status, judged.error, judged.outcome)

    def _judge(self, endpoint: Endpoint, plan: Plan, rules: Rules, is_known: bool) -> _Judgement:
        one, rule, scenario = plan.case.submission, plan.rule, rules.scenario
        steps = scenario.otherwise if rule.reports is None else rule.reports
        channel = one.leg or endpoint.channel
        if is_known and scenario.duplicate_ids != "accept":
            told = (Step(1.0, _DUPLICATE, NO_ERROR),) if scenario.duplicate_ids == "report" else ()
            return _judgement(_DUPLICATE, NO_ERROR, channel, DUPLICATE, told)
        if self._blocklist.blocks(one.recipient, one.sender, channel):
            told = (Step(1.0, _BLOCKLISTED, _BLOCKLISTED_ERROR),) if scenario.blocked_is != "answer" else ()
            if scenario.blocked_is == "report":
                return _Judgement(*_accepted(endpoint, channel), ACCEPTED, told)
            return _judgement(_BLOCKLISTED, _BLOCKLISTED_ERROR, channel, REJECTED, told)
        if channel in _BY_NUMBER and not one.recipient.removeprefix("+").isdecimal():
            return _judgement(_BAD_NUMBER, NO_ERROR, channel, REJECTED, ())
        if scenario.balance is not None and self.spent >= scenario.balance:
            return _judgement(_NO_MONEY, NO_ERROR, channel, REJECTED, ())
        if rule.answer is not None:
            status = find("status", rule.answer, channel)
            outcome = REJECTED if status.group == "REJECTED" else ACCEPTED
            return _Judgement(status, find("error", NO_ERROR, channel), outcome, rule.reports or ())
        suppressed = self._suppressions.error_for(one.sender, one.recipient) if channel == "email" else None
        if suppressed is not None:
            steps = (Step(1.0, error=suppressed),)
        if channel == "push" and self._devices.is_off(one.recipient):
            steps = (Step(1.0, error=_DEVICE_OFF),)
        return _Judgement(*_accepted(endpoint, channel), ACCEPTED, steps)

    def _keep(
        self, endpoint: Endpoint, plan: Plan, rules: Rules, judged: _Judgement, message_id: str, bulk_id: str
    ) -> None:
        message = self._message(endpoint, plan, rules, judged, message_id, bulk_id)
        self._book.keep(message)
        self.spent += price_of(Report(message, message.status, message.error, message.sent_at))
        self._reporting.plan(message, judged.steps, rules, plan.key)

    def _message(
        self, endpoint: Endpoint, plan: Plan, rules: Rules, judged: _Judgement, message_id: str, bulk_id: str
    ) -> Message:
        self._number += 1
        one = plan.case.submission
        return Message(
            self._number,
            message_id,
            bulk_id,
            one,
            endpoint,
            endpoint.channel,
            rules.network_of(one.recipient),
            self._clock.now(),
            stamp(),
            judged.status,
            judged.error,
        )


def _key(one: Submission, request: int) -> str:
    """Messages without an id of the sender's own are told apart by what they are and by the how manieth they are."""
    if one.message_id:
        return one.message_id
    text = f"{one.recipient}\0{one.content_hash}\0{request}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


def _accepted(endpoint: Endpoint, channel: str) -> tuple[Row, Row]:
    return find("status", endpoint.accepted, channel), find("error", NO_ERROR, channel)


def _judgement(status: str, error: str, channel: str, outcome: str, steps: Sequence[Step]) -> _Judgement:
    return _Judgement(find("status", status, channel), find("error", error, channel), outcome, steps)


def _entry(path: str, plan: Plan, judged: _Judgement, message_id: str, bulk_id: str, answered: bool) -> Entry:
    case, one = plan.case, plan.case.submission
    return Entry(
        message_id,
        one.recipient,
        case.channel,
        path,
        one.content_hash,
        one.sender,
        bulk_id,
        judged.outcome,
        judged.status.name,
        case.attempt,
        plan.rule.name,
        answered,
        stamp(),
        one.webhook.callback_data,
    )
