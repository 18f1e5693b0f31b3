"""Past reports are decided on anew: under the rules and tables in force now, and as of the moment they came in."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from cli.replay import FILTERS, progress_name
from store import aliases
from store import suppressions as store_suppressions
from store.aliases import Original
from store.ids import new_id
from store.messages import key_of, note_resend
from store.replay import move_progress, read_progress
from store.schema import (
    decisions,
    inbox,
    incident_deltas,
    incidents,
    messages,
    meta,
    outbox,
    reports,
    retries,
    suppression_audit,
    suppressions,
)
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

OTHER = "447700900456"
FORGIVING = """
[[rule]]
id = "forgiving"
match = { cause = ["recipient_unknown"] }
why = "our numbers come back"
ignore = true
"""
SHORT = """
[[rule]]
id = "short"
match = { cause = ["recipient_unknown"] }
why = "a month will do"
suppress = { scope = "channel", for = "30d" }
"""
STRICT = """
[[rule]]
id = "strict"
match = { cause = ["recipient_unreachable"] }
why = "we send once"
suppress = { scope = "channel", for = "30d" }
"""
ACT = """
[modes]
retry = "act"
suppress = "act"
"""
NO_OPT_OUTS = """
[[rule]]
id = "deaf"
match = { cause = ["recipient_opted_out"] }
why = "somebody was careless"
ignore = true
"""
LOUD = """
[[rule]]
id = "loud"
match = { cause = ["recipient_unreachable"] }
why = "we want to hear of it"
alert = { severity = "critical", group_by = ["account"] }
forward = "crm"
"""


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Return the setting of a policy file with the given text."""

    def write(text: str) -> dict[str, str]:
        path = tmp_path / "policy.toml"
        path.write_text(f"version = 1\n{text}")
        return {"policy": str(path)}

    return write


Policy = Callable[[str], dict[str, str]]


def standing(desk: Desk) -> list[tuple[str, str, str]]:
    """Return cause, state and rule of every suppression."""
    return sorted((row.cause, row.state, row.rule) for row in desk.rows(suppressions))


def days(desk: Desk) -> list[int]:
    return [round((row.until - datetime.now(UTC)) / timedelta(days=1)) for row in desk.rows(suppressions) if row.until]


def test_under_the_same_rules_nothing_changes(desk: Desk, dlr: Dlr) -> None:
    for minute, codes in enumerate([(9, 27), (9, 1), (9, 603), (12, 0), (5, 0), (15, 27), (9, 99999), (4, 0), (29, 0)]):
        desk.handle(report(f"m-{minute}", *codes, minute=minute), report("same", *codes, minute=minute, to=OTHER))
    before = len(desk.rows(decisions))
    told = dlr.run("replay", "--all", "--yes")
    assert "18 reports: 0 would be decided differently, 18 as before" in told.stderr
    assert len(desk.rows(decisions)) == before


def test_under_the_same_rules_nothing_changes_for_what_came_out_of_order_or_from_strangers(
    desk: Desk, dlr: Dlr
) -> None:
    desk.handle(report("m-2", 5, minute=5), report("m-1", 9, 1, minute=1))
    desk.handle(report("m-3", 9, 1, minute=2))
    desk.handle(report("m-4", 5, minute=3), trusted=False)
    desk.handle(report("m-4", 9, 27, minute=4))
    assert "5 reports: 0 would be decided differently" in dlr.run("replay", "--all", "--yes").stderr


def test_it_shows_what_would_change_grouped_and_changes_nothing(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1), report("m-2", 9, 1, to=OTHER), report("m-3", 5))
    result = dlr.run("replay", "--since", "1h", "--dry-run", **policy(FORGIVING))
    assert "3 reports: 2 would be decided differently, 1 as before" in result.stderr
    ((count, rule, did, now, does),) = [line.split("\t") for line in result.stdout.splitlines()]
    assert (count, rule, now) == ("2", "unknown-recipient", "forgiving")
    assert "suppress channel for 180 days (propose)" in did
    assert does == "recipient_unknown: ignore"
    assert len(desk.rows(decisions)) == 3
    assert {state for _, state, _ in standing(desk)} == {"proposed"}


def test_it_asks_before_it_writes(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    rules = policy(FORGIVING)
    assert "Write 1 new decision," in dlr.fails("replay", "--all", answer="n\n", policy=rules["policy"])
    assert len(desk.rows(decisions)) == 1
    dlr("replay", "--all", answer="y\n", **rules)
    assert len(desk.rows(decisions)) == 2


def test_new_decisions_stand_beside_the_old_ones(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    dlr("replay", "--all", "--yes", **policy(FORGIVING))
    old, new = sorted(desk.rows(decisions), key=lambda row: row.id)
    assert (old.replay, old.rule, new.replay, new.rule) == (False, "unknown-recipient", True, "forgiving")
    assert dlr.json("reports")[0]["rule"] == "forgiving"
    lines = dlr.lines("message", "m-1")
    assert [line[1] for line in lines if line[1] in ("decision", "replayed")] == ["decision", "replayed"]


def test_a_second_replay_finds_nothing_left_to_change(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    rules = policy(FORGIVING)
    dlr("replay", "--all", "--yes", **rules)
    assert dlr.json("replay", "--all", "--yes", **rules)["changed"] == 0
    assert len(desk.rows(decisions)) == 2


def test_a_suppression_that_no_rule_asks_for_any_more_is_lifted(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    told = dlr("replay", "--all", "--yes", **policy(FORGIVING))
    assert "1 lifted" in told
    assert "Nobody was notified" in told
    assert standing(desk) == [("recipient_unknown", "lifted", "unknown-recipient")]
    assert [row.who for row in desk.rows(suppression_audit)] == ["policy", "replay"]


def test_and_comes_back_when_the_rule_does(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    dlr("replay", "--all", "--yes", **policy(FORGIVING))
    assert dlr.json("replay", "--all", "--yes")["suppressed"] == 1
    assert standing(desk) == [("recipient_unknown", "proposed", "unknown-recipient")]


def test_it_stands_while_another_report_leads_to_it(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    desk.handle(report("m-2", 9, 1, minute=5))
    rules = policy(FORGIVING)
    assert dlr.json("replay", "--message", "m-2", "--yes", **rules)["lifted"] == 0
    assert dlr.json("replay", "--message", "m-1", "--yes", **rules)["lifted"] == 1


def test_its_end_follows_the_rule(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    assert days(desk) == [180]
    assert dlr.json("replay", "--all", "--yes", **policy(SHORT))["suppressed"] == 1
    assert days(desk) == [30]
    assert dlr.json("replay", "--all", "--yes", **policy(SHORT))["changed"] == 0


def test_a_rule_that_suppresses_now_does_so_for_past_reports(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 27))
    assert dlr.json("replay", "--all", "--yes", **policy(STRICT))["suppressed"] == 1
    assert standing(desk) == [("recipient_unreachable", "proposed", "strict")]


def test_but_not_where_a_later_delivery_disproves_it(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 27))
    desk.handle(report("m-2", 5, minute=30))
    told = dlr.json("replay", "--all", "--yes", **policy(STRICT))
    assert (told["changed"], told["suppressed"]) == (1, 0)
    assert standing(desk) == []


def test_the_mode_act_makes_a_proposal_active(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    dlr("replay", "--all", "--yes", **policy(ACT))
    assert standing(desk) == [("recipient_unknown", "active", "unknown-recipient")]


@pytest.mark.parametrize("codes", [(9, 603), (10, 0), (9, 2049)])
def test_what_the_person_asked_for_is_never_lifted(
    desk: Desk, dlr: Dlr, policy: Policy, codes: tuple[int, int]
) -> None:
    desk.handle(report("m-1", *codes))
    before = standing(desk)
    assert before
    causes = '["recipient_opted_out", "recipient_dnd", "recipient_blocklisted"]'
    told = dlr.json("replay", "--all", "--yes", **policy(NO_OPT_OUTS.replace('["recipient_opted_out"]', causes)))
    assert (told["changed"], told["lifted"]) == (1, 0)
    assert standing(desk) == before


def test_an_operators_entry_is_never_lifted(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    with desk.database.transaction() as connection:
        connection.execute(update(suppressions).values(origin="operator"))
    assert dlr.json("replay", "--all", "--yes", **policy(FORGIVING))["lifted"] == 0


def test_what_a_person_lifted_is_not_brought_back(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    now = datetime.now(UTC)
    with desk.database.transaction() as connection:
        numbers = list(connection.scalars(select(suppressions.c.id)))
        store_suppressions.lift(connection, [(number, now) for number in numbers], now, "ada", "she asked for it")
    dlr("replay", "--all", "--yes", **policy(ACT))
    assert {state for _, state, _ in standing(desk)} == {"lifted"}


def test_nobody_is_notified_and_nothing_is_forwarded(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 27))
    told = dlr.json("replay", "--all", "--yes", **policy(LOUD))
    assert told["changed"] == 1
    assert desk.rows(incident_deltas) == desk.rows(incidents) == desk.rows(outbox) == []


class TestResends:
    def test_none_is_planned_without_being_asked_for(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        desk.handle(report("m-1", 9, 27))
        dlr("replay", "--all", "--yes", **policy(ACT))
        assert [row.state for row in desk.rows(retries)] == ["observed"]

    def test_asked_for_it_is_planned_as_of_now(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        desk.handle(report("m-1", 9, 27))
        told = dlr.json("replay", "--all", "--yes", "--resend", **policy(ACT))
        assert told["resends"] == 1
        (row,) = desk.rows(retries)
        assert row.state == "planned"
        assert row.due_at > datetime.now(UTC)

    def test_not_for_a_message_that_arrived_meanwhile(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        desk.handle(report("m-1", 9, 27))
        desk.handle(report("m-1", 5, minute=30))
        assert dlr.json("replay", "--all", "--yes", "--resend", **policy(ACT))["resends"] == 0
        assert [row.state for row in desk.rows(retries)] == ["cancelled"]

    def test_not_to_a_person_who_opted_out(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        desk.handle(report("m-1", 9, 27))
        desk.handle(report("m-2", 9, 603, minute=5))
        assert dlr.json("replay", "--all", "--yes", "--resend", **policy(ACT))["resends"] == 0
        assert [row.state for row in desk.rows(retries)] == ["cancelled"]

    def test_not_for_a_message_that_has_lost_its_worth(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        desk.handle(report("m-1", 9, 27))
        then = datetime.now(UTC) - timedelta(days=4)
        with desk.database.transaction() as connection:
            connection.execute(update(messages).values(first_at=then))
            connection.execute(update(inbox).values(received_at=then))
            connection.execute(update(reports).values(received_at=then))
        assert dlr.json("replay", "--all", "--yes", "--resend", **policy(ACT))["resends"] == 0
        assert [row.state for row in desk.rows(retries)] == ["observed"]

    def test_one_that_no_rule_asks_for_any_more_is_cancelled(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        desk.handle(report("m-1", 9, 27))
        assert dlr.json("replay", "--all", "--yes", **policy(STRICT))["cancelled"] == 1
        assert [row.state for row in desk.rows(retries)] == ["cancelled"]

    def test_one_that_left_is_never_planned_again(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        desk.handle(report("m-1", 9, 27))
        with desk.database.transaction() as connection:
            connection.execute(update(retries).values(state="sent"))
        assert dlr.json("replay", "--all", "--yes", "--resend", **policy(ACT))["resends"] == 0
        assert [row.state for row in desk.rows(retries)] == ["sent"]


def test_a_new_code_in_the_tables_is_applied_to_what_came_before(
    desk: Desk, dlr: Dlr, policy: Policy, tmp_path: Path
) -> None:
    desk.handle(report("m-1", 9, 99999))
    assert dlr.json("reports")[0]["cause"] == "unknown"
    header = "family,kind,id,name,group_id,group,permanent,cause,advice,retry_after,retry_for,aliases,sources"
    row = "general,error,99999,EC_NEW,1,HANDSET_ERRORS,true,recipient_unknown,Nobody has this number now.,,,,us"
    codes = tmp_path / "codes.csv"
    codes.write_text(f"{header}\n{row}\n")
    told = dlr.json("replay", "--all", "--yes", codes_local=str(codes))
    assert (told["changed"], told["suppressed"]) == (1, 1)
    assert dlr.json("reports")[0]["cause"] == "recipient_unknown"


def test_a_report_whose_body_is_gone_is_counted_and_left(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    desk.handle(report("m-2", 9, 1, to=OTHER))
    with desk.database.transaction() as connection:
        connection.execute(delete(inbox).where(inbox.c.id == desk.rows(inbox)[0].id))
    told = dlr.json("replay", "--all", "--yes", **policy(FORGIVING))
    assert (told["gone"], told["changed"]) == (1, 1)


def test_only_what_is_asked_for_is_replayed(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1), report("m-2", 9, 1, to=OTHER))
    desk.handle(report("m-3", 9, 1, to="447700900789"), account="shop")
    rules = policy(FORGIVING)

    def would_change(*words: str) -> Any:
        return dlr.json("replay", *words, "--dry-run", **rules)["reports"]

    assert would_change("--message", "m-1") == 1
    assert would_change("--recipient", f"+{PERSON}") == 1
    assert would_change("--account", "shop") == 1
    assert would_change("--rule", "unknown-recipient", "--channel", "sms", "--cause", "recipient_unknown") == 3
    assert would_change("--since", "1h") == 3
    assert would_change("--until", "1h") == 0
    assert "Say which reports" in dlr.fails("replay", code=2)


def test_killed_it_goes_on_where_it_was_and_decides_on_nothing_twice(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    for number in range(6):
        desk.handle(report(f"m-{number}", 9, 1, to=f"44770090010{number}"))
    rules = policy(FORGIVING)
    command = [sys.executable, "-m", "tests.support.dlr", "replay", "--all", "--yes", "--rate", "2"]
    environment = os.environ | dlr.settings | {"DLR_POLICY": rules["policy"], "PYTHONPATH": "."}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while len(desk.rows(decisions)) < 8 and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    before = len(desk.rows(decisions))
    assert 8 <= before < 12
    again = dlr.run("replay", "--all", "--yes", policy=rules["policy"])
    assert "goes on where it was" in again.stderr
    assert f"{12 - before} reports: {12 - before} would be decided differently" in again.stderr
    assert sorted(row.report_id for row in desk.rows(decisions) if row.replay) == sorted(
        row.id for row in desk.rows(reports)
    )
    assert {state for _, state, _ in standing(desk)} == {"lifted"}
    assert not [row for row in desk.rows(meta) if row.name.startswith("replay:")]


def test_under_other_rules_it_begins_anew(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(report("m-1", 9, 1))
    with desk.database.transaction() as connection:
        kept = {"after": new_id(), "last": new_id(), "rules": "others"}
        assert move_progress(connection, _progress_name(), None, json.dumps(kept))
    assert dlr.json("replay", "--all", "--yes", **policy(FORGIVING))["changed"] == 1


def test_of_two_at_once_one_stops_and_no_decision_is_made_twice(desk: Desk) -> None:
    with desk.database.transaction() as connection:
        assert move_progress(connection, "replay:x", None, "1")
        assert not move_progress(connection, "replay:x", None, "2")
        assert not move_progress(connection, "replay:x", "0", "3")
        assert move_progress(connection, "replay:x", "1", "4")
        assert read_progress(connection, "replay:x") == "4"
        assert move_progress(connection, "replay:x", "4", None)
        assert read_progress(connection, "replay:x") is None


def test_it_keeps_to_its_rate(desk: Desk, dlr: Dlr, policy: Policy) -> None:
    desk.handle(*[report(f"m-{number}", 9, 1, to=f"44770090010{number}") for number in range(6)])
    begin = datetime.now(UTC)
    dlr("replay", "--all", "--yes", "--rate", "5", **policy(FORGIVING))
    assert datetime.now(UTC) - begin >= timedelta(seconds=1)


def _progress_name() -> str:
    return progress_name(dict.fromkeys(FILTERS, ""), resend=False)


class TestAReportOnAResend:
    def sent(self, desk: Desk) -> None:
        """Register a message that failed and was sent again, and let the resend fail, too."""
        vault = desk.vault
        key = desk.register("m-1")
        desk.handle(report("m-1", 9, 27))
        with desk.database.transaction() as connection:
            alias = key_of(vault, "main", "m-1-r1", PERSON)
            aliases.add(connection, alias, "main", Original(key, 1), datetime.now(UTC))
            note_resend(connection, key, 1)
        desk.handle(report("m-1-r1", 9, 27, minute=1))

    def test_is_judged_as_one_on_that_attempt_of_the_message(self, desk: Desk, dlr: Dlr) -> None:
        self.sent(desk)
        told = dlr.run("replay", "--all", "--yes")

        assert "2 reports: 0 would be decided differently, 2 as before" in told.stderr

    def test_plans_the_attempt_that_follows_it(self, desk: Desk, dlr: Dlr, policy: Policy) -> None:
        self.sent(desk)
        before = {(row.attempt, row.state) for row in desk.rows(retries)}
        assert before == {(1, "observed"), (2, "observed")}
        with desk.database.transaction() as connection:
            connection.execute(delete(retries))
        dlr.run("replay", "--all", "--yes", "--resend", **policy(ACT + FAST))

        assert sorted((row.attempt, row.rule) for row in desk.rows(retries)) == [(1, "fast"), (2, "fast")]


FAST = """
[[rule]]
id = "fast"
match = { cause = ["recipient_unreachable"] }
why = "these phones are soon on again"
retry = { every = "5m", attempts = 3 }
"""
