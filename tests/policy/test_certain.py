"""Shortcuts: a decision that is found without a history is the one that every history leads to."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codes import CAUSES, CHANNELS, CodeRef, Meaning, Outcome, load, shipped
from codes.events import EVENTS
from policy import Decision, Failed, History, Mode, Purpose, Rules, decide, shipped_policy
from policy.interpret import interpret
from policy.matching import Conditions
from policy.rules import AlertPlan, Purposes, RetryPlan, Rule
from policy.suppress_plan import SuppressPlan, Tier
from reports import Event, Report
from reports.words import OptWords
from workers.failed import failure_of
from workers.pipeline import _tells_of_somebody
from workers.prepare import Prepared

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORDS = OptWords.of("stop", "quit", "start")
ROWS = {kind: [row for row in load().rows if row.kind == kind] for kind in ("status", "error")}
# One code of each cause, so that rare ones are met as often as others.
TYPICAL = {kind: list({row.cause: row for row in rows}.values()) for kind, rows in ROWS.items()}
PHONE, MAIL = "447700900123", "anna@post.example"

CONDITIONS: dict[str, list[Any]] = {
    "account": ["main"],
    "channel": ["sms", "voice", "whatsapp"],
    "event": ["delivery", "other", "BLOCK"],
    "outcome": list(Outcome),
    "error": [27, 1, 603, 10002],
    "cause": sorted(CAUSES),
    "purpose": list(Purpose),
    "sender": ["Shop"],
    "application": ["Shop"],
    "campaign": ["Shop"],
    "country": ["44"],
    "network": ["23410", "310"],
    "permanent": [True, False],
    "conflict": [True, False],
    "infobip_retries": [True, False],
}
PLANS = [
    None,
    SuppressPlan("all"),
    SuppressPlan("channel", lasts=30 * DAY, grow=2),
    SuppressPlan("channel", lasts=30 * DAY, failures=2),
    SuppressPlan("sender", tiers=(Tier(lasts=DAY), Tier(2, 365 * DAY, 60 * DAY))),
    SuppressPlan("channel", confirms=True),
]


def conditions(chance: Random) -> Conditions:
    """Return what matches often: a rule that asks for much decides nothing."""
    found: dict[str, Any] = {}
    names = [*CONDITIONS, *["purpose", "infobip_retries"] * 3]
    for name in sorted({chance.choice(names) for _ in range(chance.randint(0, 2))}):
        value = chance.choice(CONDITIONS[name])
        found[name] = value if isinstance(value, bool) else frozenset({value})
    return Conditions(**found)


def rules_of(chance: Random) -> Rules:
    """Return some rules of an operator's own, mostly before the shipped ones."""
    own = tuple(
        Rule(
            id=chance.choice(("one", "two")),
            file="own.toml",
            conditions=conditions(chance),
            why="somebody wants it so",
            retry=chance.choice((None, None, RetryPlan((HOUR,), 3, 3 * DAY))),
            suppress=chance.choice((None, chance.choice(PLANS))),
            alert=chance.choice((None, AlertPlan("warning", ("account",)))),
            forward=chance.choice(("", "shop.failed")),
            counts_as=chance.choice((None, Outcome.FAILED, Outcome.DELIVERED)),
        )
        for _ in range(chance.randint(0, 4))
    )
    given_to_all = shipped_policy()
    modes = {**given_to_all.modes, "retry": Mode.ACT, "suppress": chance.choice(list(Mode))}
    purposes = Purposes({"*": Purpose.OTP}, sender={"Shop": Purpose.MARKETING}) if chance.random() < 0.5 else Purposes()
    return Rules(own + given_to_all.rules * chance.choice((0, 1, 1)), "test", modes, given_to_all.limits, purposes)


def code(chance: Random, kind: str) -> CodeRef | None:
    row = chance.choice(chance.choice((ROWS, TYPICAL))[kind])
    known = CodeRef(id=row.id, name=row.name, group_id=row.group_id, group=row.group)
    odd = CodeRef(id=chance.randint(0, 20_000), group_id=chance.randint(0, 5))
    return chance.choice((known, known, known, CodeRef(id=row.id), odd, None))


def report_of(chance: Random, **values: Any) -> Report:
    """Return a delivery report, or an event that says something about a person."""
    event = chance.choice((Event.DELIVERY,) * 6 + (Event.OTHER, Event.INBOUND, Event.UNKNOWN))
    texts = {name: chance.choice(("", "Shop")) for name in ("sender", "application", "entity", "campaign")}
    found = Report(
        event=event,
        kind="DELIVERY" if event is Event.DELIVERY else chance.choice(sorted(kind for kind, _ in EVENTS)),
        family="unified",
        raw={},
        account=chance.choice(("main", "other")),
        channel=chance.choice(sorted(CHANNELS)),
        own_channel=chance.choice(("", "SMS")),
        message_id="m-1",
        recipient=chance.choice((PHONE, MAIL, "15550100")),
        mcc_mnc=chance.choice(("", "23410", "310")),
        smtp=chance.choice(("", "550 5.1.1 nobody", "451 4.2.2 full")),
        status=code(chance, "status"),
        error=code(chance, "error"),
        detail=chance.choice(({}, {"text": "STOP"}, {"consent": "stop"}, {"status": "REJECTED"})),
        **texts,  # type: ignore[arg-type]
    )
    return replace(found, **values)


def moment(chance: Random) -> datetime:
    return NOW - chance.choice((-HOUR, HOUR, DAY, 20 * DAY)) * chance.random()


def asked(chance: Random, channel: str) -> dict[str, Any]:
    """Return what is looked up of a person, as far as that is worth it."""
    excuse = ("", "", "an incident was open")
    failed = (
        Failed(moment(chance), chance.choice(("", *CAUSES)), chance.choice((channel, "sms")), chance.choice(excuse))
        for _ in range(chance.randint(0, 4))
    )
    return {
        "failed": tuple(failed),
        "excused": chance.choice(excuse),
        "suppressions": chance.randint(0, 3),
        "arrived_by": chance.choice(((), (), ("sms",), (channel,))),
        "protected": chance.random() < 0.3,
    }


def history_of(chance: Random, channel: str) -> History:
    some = (None, None, moment(chance))
    return History(
        purpose=chance.choice(list(Purpose)),
        resends=chance.randint(0, 3),
        sent_at=chance.choice(some),
        not_after=chance.choice(some),
        reached=chance.random() < 0.2,
        open_legs=chance.random() < 0.2,
        obstacle=chance.choice(("", "", "its id stands for several people")),
        infobip_retries=chance.random() < 0.3,
        failed_at=chance.choice(some),
        trusted=chance.random() < 0.8,
        **asked(chance, channel),
    )


def meaning_of(report: Report) -> Meaning | None:
    return interpret(report, shipped(), WORDS).meaning


def afresh(report: Report, meaning: Meaning, history: History, rules: Rules, now: datetime) -> Decision:
    """Return the decision of rules that remember none."""
    rules.case(meaning).settled.clear()
    return decide(report, meaning, history, rules, now)


seeds = st.integers(0, 2**32)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_a_decision_that_is_certain_is_the_one_that_every_history_leads_to(seed: int) -> None:
    """Whatever was decided before on other reports of the same codes."""
    chance = Random(seed)
    rules = rules_of(chance)
    for _ in range(15):
        first = report_of(chance)
        if (meaning := meaning_of(first)) is None:
            continue
        like = {"event": first.event, "kind": first.kind, "channel": first.channel}
        for _ in range(8):
            report, history = report_of(chance, **like), history_of(chance, first.channel)
            certain = rules.case(meaning).certain(report)
            remembered = dict(rules.case(meaning).settled)
            wanted = afresh(report, meaning, history, rules, moment(chance))
            assert certain in (None, wanted)
            # The next one finds what all before it led to.
            rules.case(meaning).settled.update(remembered)


def prepared(report: Report, meaning: Meaning, *, trusted: bool = True) -> Prepared:
    """Return a report as the pipeline has it."""
    return Prepared(
        callback_id=1,
        index=0,
        report=report,
        trusted=trusted,
        received_at=NOW,
        received_ms=0,
        event_at=NOW,
        event_ms=0,
        replaced_time=False,
        meaning=meaning,
        event=None,
        word="",
        fingerprint=b"",
        recipient=report.recipient.encode(),
        message_key=report.message_id.encode(),
    )


def needs_no_past(report: Report, meaning: Meaning, rules: Rules, chance: Random) -> bool:
    """Whether nothing is looked up; then show that nothing of it would have made a difference."""
    history, now = history_of(chance, report.channel), moment(chance)
    item = prepared(report, meaning, trusted=history.trusted)
    if _tells_of_somebody(item, rules, named=()):
        return False
    decision = afresh(report, meaning, history, rules, now)
    assert decision == afresh(report, meaning, replace(history, **asked(chance, report.channel)), rules, now)
    # Of a failure that is kept, it is asked whether something arrived since.
    assert decision.outcome is not Outcome.FAILED or failure_of(item) is None
    return True


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_what_is_not_looked_up_of_a_person_changes_neither_the_decision_nor_what_is_kept(seed: int) -> None:
    chance = Random(seed)
    rules = rules_of(chance)
    for _ in range(60):
        report = report_of(chance)
        if (meaning := meaning_of(report)) is not None:
            needs_no_past(report, meaning, rules, chance)


def all_codes(channel: str) -> Iterator[tuple[CodeRef | None, CodeRef | None]]:
    """Yield every status and error of the tables beside some that go with it."""
    statuses = [None, *(CodeRef(id=number) for number in (5, 9))]
    refs = {kind: [CodeRef(id=row.id, name=row.name) for row in rows] for kind, rows in ROWS.items()}
    yield from product(statuses, refs["error"])
    yield from product(refs["status"], (None, CodeRef(id=0), CodeRef(id=1)))


@pytest.mark.parametrize("channel", ["sms", "voice", "email", "whatsapp", "unknown"])
def test_so_it_is_with_every_code_of_the_tables_under_the_shipped_rules(channel: str) -> None:
    chance, rules, spared, all_told = Random(channel), shipped_policy(), 0, 0
    for status, error in all_codes(channel):
        report = report_of(chance, event=Event.DELIVERY, kind="DELIVERY", channel=channel, status=status, error=error)
        meaning = meaning_of(report)
        assert meaning is not None
        certain = rules.case(meaning).certain(report)
        history = history_of(chance, channel)
        assert certain in (None, afresh(report, meaning, history, rules, moment(chance)))
        spared += needs_no_past(report, meaning, rules, chance)
        all_told += 1
    # It is worth something: most reports say nothing about a person.
    assert spared > all_told / 2
