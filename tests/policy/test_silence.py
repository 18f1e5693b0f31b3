"""Rules with on_silence are about sends: they are asked for when a message leaves, and decide on no report."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codes import CodeRef, shipped
from policy import (
    History,
    PolicyError,
    Purpose,
    Rules,
    Sent,
    decide,
    interpret,
    load_policy,
    shipped_policy,
    silence_of,
)
from policy.silence import Hearing, deafness
from reports import Event, Report
from reports.words import OptWords

RULE = """
[[rule]]
id = "code-by-voice"
match = { MATCH }
why = "a code that does not arrive within seconds keeps a person waiting"
on_silence = { after = "20s", then = "voice" }
"""
MINUTE = timedelta(minutes=1)


def rules(folder: Path, text: str) -> Rules:
    path = folder / "policy.toml"
    path.write_text(f"version = 1\n{text}", "utf-8")
    return load_policy(path)


def faults(folder: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(PolicyError) as caught:
        rules(folder, text)
    return [(fault.where, fault.problem) for fault in caught.value.faults]


def sent(purpose: Purpose = Purpose.OTP, **more: str) -> Sent:
    return Sent(**{"account": "main", "channel": "sms", "address": "447700900123", **more}, purpose=purpose)


def test_the_shipped_policy_has_none() -> None:
    assert shipped_policy().silences == ()
    assert silence_of(shipped_policy(), sent()) is None


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ('purpose = "otp"', True),
        ('purpose = "marketing"', False),
        ('purpose = "otp", channel = "sms"', True),
        ('channel = "viber"', False),
        ('country = ["44"]', True),
        ('country = ["+385"]', False),
        ('account = "shop"', False),
        ('sender = ["Shop", "News"]', True),
        ('campaign = "spring"', False),
    ],
)
def test_a_rule_matches_by_what_is_known_of_a_send(tmp_path: Path, match: str, fits: bool) -> None:
    found = silence_of(rules(tmp_path, RULE.replace("MATCH", match)), sent(sender="Shop"))
    assert (found is not None) is fits


def test_the_purpose_may_be_known_by_the_sender(tmp_path: Path) -> None:
    text = '[purposes]\nsender = { "Codes" = "otp" }\n' + RULE.replace("MATCH", 'purpose = "otp"')
    loaded = rules(tmp_path, text)
    assert silence_of(loaded, sent(Purpose.UNDECLARED, sender="Codes")) is not None
    assert silence_of(loaded, sent(Purpose.UNDECLARED, sender="Shop")) is None


def test_a_channel_is_not_started_in_place_of_itself(tmp_path: Path) -> None:
    assert silence_of(rules(tmp_path, RULE.replace("MATCH", 'purpose = "otp"')), sent(channel="voice")) is None


def test_reports_are_decided_on_as_if_it_were_not_there(tmp_path: Path) -> None:
    code = CodeRef(9, "", 2)
    report = Report(Event.DELIVERY, "DELIVERY", "unified", {}, channel="sms", status=code, error=CodeRef(27))
    meaning = interpret(report, shipped(), OptWords.of("", "", "")).meaning
    assert meaning is not None
    loaded = rules(tmp_path, RULE.replace("MATCH", 'purpose = "otp"'))
    now = datetime(2026, 11, 24, tzinfo=UTC)
    for purpose in Purpose:
        decided = [decide(report, meaning, History(purpose=purpose), one, now) for one in (loaded, shipped_policy())]
        assert decided[0].rule == decided[1].rule
        assert decided[0].reason == decided[1].reason


class TestWhatTheCheckFinds:
    @pytest.mark.parametrize(
        "name", ["status = [9]", "error = [27]", 'cause = "recipient_busy"', 'network = ["21901"]']
    )
    def test_what_only_a_report_can_meet(self, tmp_path: Path, name: str) -> None:
        [(where, problem)] = faults(tmp_path, RULE.replace("MATCH", name))
        assert where == f"rule 'code-by-voice', match.{name.partition(' ')[0]}"
        assert "no report to look at" in problem

    def test_that_it_does_something_else_as_well(self, tmp_path: Path) -> None:
        text = RULE.replace("MATCH", 'purpose = "otp"') + 'retry = { every = "1m" }\n'
        assert faults(tmp_path, text) == [("rule 'code-by-voice'", "it has on_silence and retry")]

    def test_that_it_starts_the_channel_that_is_silent(self, tmp_path: Path) -> None:
        [(where, _)] = faults(tmp_path, RULE.replace("MATCH", 'channel = "voice"'))
        assert where == "rule 'code-by-voice', on_silence.then"

    @pytest.mark.parametrize(
        ("written", "where"),
        [
            ('{ after = "20s", then = "voise" }', "on_silence.then"),
            ('{ after = "2h", then = "voice" }', "on_silence.after"),
            ('{ after = 20, then = "voice" }', "on_silence.after"),
            ('{ then = "voice" }', "on_silence.after"),
            ('{ after = "20s", then = "voice", when = "now" }', "on_silence.when"),
        ],
    )
    def test_what_is_written_wrongly(self, tmp_path: Path, written: str, where: str) -> None:
        text = RULE.replace("MATCH", 'purpose = "otp"').replace('{ after = "20s", then = "voice" }', written)
        assert [found for found, _ in faults(tmp_path, text)] == [f"rule 'code-by-voice', {where}"]

    def test_that_it_can_never_match_but_not_for_a_rule_about_reports(self, tmp_path: Path) -> None:
        about_reports = '[[rule]]\nid = "all"\nwhy = "we want to see every one"\nalert = { severity = "info" }\n'
        once = RULE.replace("MATCH", 'purpose = "otp"')
        rules(tmp_path, about_reports + once)
        twice = once + once.replace("code-by-voice", "again").replace('"otp"', '"otp", channel = "sms"')
        assert [where for where, _ in faults(tmp_path, twice)] == ["rule 'again'"]


@pytest.mark.parametrize(
    ("hearing", "deaf"),
    [
        (Hearing(since_last=MINUTE, silent=1, watched=1), False),
        (Hearing(since_last=MINUTE, inbox_age=timedelta(seconds=5)), False),
        (Hearing(since_last=MINUTE, inbox_age=timedelta(seconds=6)), True),
        (Hearing(since_last=MINUTE + timedelta(seconds=1)), True),
        (Hearing(), True),
        (Hearing(since_last=MINUTE, silent=19, watched=19), False),
        (Hearing(since_last=MINUTE, silent=20, watched=20), True),
        (Hearing(since_last=MINUTE, silent=20, watched=100), False),
        (Hearing(since_last=MINUTE, silent=21, watched=100), True),
    ],
)
def test_silence_proves_nothing_while_callbacks_are_late(hearing: Hearing, deaf: bool) -> None:
    assert bool(deafness(hearing, MINUTE)) is deaf
