"""`decide` is pure and total: no clock, no chance, and an answer to whatever comes."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policy
from codes import CHANNELS, Row, load, lookup
from policy import Decision, Failed, History, Purpose, Retry, Rules, Suppress, decide, load_policy, shipped_policy
from tests.policy.cases import NOW, TRANSACTIONAL, report

moments = st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
histories = st.builds(
    History,
    purpose=st.sampled_from(Purpose),
    resends=st.integers(0, 20),
    sent_at=st.none() | moments,
    not_after=st.none() | moments,
    reached=st.booleans(),
    open_legs=st.booleans(),
    infobip_retries=st.booleans(),
    failed=st.lists(
        st.builds(
            Failed,
            at=moments,
            cause=st.sampled_from(["recipient_unreachable", "recipient_barred", ""]),
            channel=st.sampled_from(["sms", "email"]),
            excused=st.sampled_from(["", "an incident was open"]),
        ),
        max_size=10,
    ).map(tuple),
    excused=st.sampled_from(["", "", "an incident was open"]),
    suppressions=st.integers(0, 10**6),
    trusted=st.booleans(),
)
near = st.builds(
    History,
    purpose=st.sampled_from(Purpose),
    resends=st.integers(0, 7),
    sent_at=st.integers(0, 10 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes)),
    not_after=st.none() | st.integers(-600, 20_000).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
ROWS = load().rows
IDS = {kind: sorted({row.id for row in ROWS if row.kind == kind}) for kind in ("status", "error")}


def codes_of(kind: str) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(
        {"id": st.sampled_from(IDS[kind]) | st.integers(0, 100_000) | json},
        optional={
            "name": st.sampled_from([row.name for row in ROWS]) | json,
            "groupId": st.integers(0, 6) | json,
            "groupName": st.sampled_from(["DELIVERED", "Undeliverable", "REJECTED"]) | json,
        },
    )


EVERYTHING = """
[modes]
retry = "act"
suppress = "act"

[[rule]]
id = "everything"
why = "an operator wants everything at once"
retry = { every = "1h", attempts = 7, give_up_after = "8d" }
suppress = { scope = "all", for = "30d", grow = 4, after = { failures = 2, within = "3650d" } }
"""


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    """Return rules that resend to everyone and suppress everyone, as far as anything lets them."""
    path = tmp_path_factory.mktemp("policy") / "own.toml"
    path.write_text(EVERYTHING)
    return load_policy(path)


channels = st.sampled_from(sorted(CHANNELS)) | st.text(max_size=10)
smtp = st.sampled_from(["", "550 5.1.1 nobody", "451 4.2.2 full"]) | st.text(max_size=20)


@settings(max_examples=400, deadline=None)
@given(channels, codes_of("status") | json, codes_of("error") | json, smtp, histories, moments, st.text(max_size=20))
def test_arbitrary_json_never_raises_and_an_unknown_code_never_suppresses_or_resends(
    eager: Rules, channel: str, status: object, error: object, smtp: str, history: History, now: datetime, text: str
) -> None:
    meaning = lookup(channel, status, error, smtp)
    for rules in (shipped_policy(), eager):
        decision = decide(report(channel, recipient=text, sender=text), meaning, history, rules, now)
        is_whole(decision)
        if meaning.unknown:
            assert not any(isinstance(action, Retry | Suppress) for action in decision.actions)


def is_whole(decision: Decision) -> None:
    assert decision.rule
    assert decision.actions
    assert decision.reason.endswith(".")
    assert decision.policy
    assert decision.tables


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([row for row in ROWS if row.kind == "error"]), near, st.integers(0, 7 * 24 * 60))
def test_a_resend_is_due_between_now_and_the_end_of_its_worth(
    eager: Rules, row: Row, history: History, minutes: int
) -> None:
    now = NOW + timedelta(minutes=minutes)
    error = {"id": row.id, "name": row.name}
    meaning = lookup("sms", {"id": 9}, error)
    for rules in (shipped_policy(), eager):
        for action in decide(report(), meaning, history, rules, now).actions:
            if isinstance(action, Retry) and action.due_at is not None:
                assert now <= action.due_at <= action.give_up_at
                assert history.not_after is None or action.due_at <= history.not_after


def test_a_decision_on_any_code_of_the_tables_has_a_rule_and_a_whole_reason() -> None:
    for row in ROWS:
        code = {"id": row.id, "name": row.name, "groupName": row.group}
        status, error = (code, None) if row.kind == "status" else ({"id": 9, "groupId": 2}, code)
        meaning = lookup("sms", status, error)
        decision = decide(report(), meaning, TRANSACTIONAL, shipped_policy(), NOW)
        is_whole(decision)
        assert decision.rule in {rule.id for rule in shipped_policy().rules}
        assert f"{row.id} {row.name}" in decision.reason


@settings(max_examples=100, deadline=None)
@given(codes_of("status"), codes_of("error"), near)
def test_the_same_input_gives_the_same_decision(status: object, error: object, history: History) -> None:
    meaning = lookup("sms", status, error)
    used = shipped_policy()
    fresh = Rules(used.rules, used.version, used.modes, used.limits, used.purposes)
    once = decide(report(), meaning, history, fresh, NOW)
    assert once == decide(report(), meaning, history, fresh, NOW) == decide(report(), meaning, history, used, NOW)


FORBIDDEN = {"random", "secrets", "time", "os", "socket", "subprocess", "threading", "uuid", "logging", "requests"}
CLOCKS = {"now", "utcnow", "today", "time_ns", "monotonic"}


@pytest.mark.parametrize("path", sorted(Path(policy.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_the_policy_reads_no_clock_and_rolls_no_dice(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert imported & FORBIDDEN == set()
    assert called & CLOCKS == set()
