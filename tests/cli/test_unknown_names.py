"""A rule or an account that there is not is named with the nearest one: an empty answer would be a wrong one."""

import json
from pathlib import Path

import pytest

from store.schema import retries, suppressions
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

RULES = [
    ("proposals", "accept", "--rule"),
    ("proposals", "drop", "--rule"),
    ("retries", "list", "--rule"),
    ("retries", "cancel", "--yes", "--rule"),
    ("retries", "run", "--yes", "--rule"),
    ("reports", "--rule"),
    ("replay", "--yes", "--rule"),
    ("suppress", "undo", "--from", "1h", "--yes", "--rule"),
]
ACCOUNTS = [
    ("retries", "list", "--account"),
    ("retries", "cancel", "--yes", "--account"),
    ("retries", "pause", "--reason", "why", "--account"),
    ("reports", "--account"),
    ("replay", "--yes", "--account"),
    ("message", "m-1", "--account"),
    ("evidence", PERSON, "--account"),
    ("suppress", "add", PERSON, "--account"),
    ("suppress", "check", PERSON, "--channel", "sms", "--account"),
    ("suppress", "export", "--account"),
    ("forward", "replay", "--from", "1h", "--account"),
    ("incidents", "silence", "--cause", "account_funds", "--until", "1h", "--account"),
]


@pytest.mark.parametrize("words", RULES, ids=" ".join)
def test_a_rule_that_there_is_not_is_told_with_the_nearest_one(dlr: Dlr, words: tuple[str, ...]) -> None:
    said = dlr.fails(*words, "unknown-recipent", code=2)
    assert "no rule 'unknown-recipent'" in said
    assert "Did you mean unknown-recipient" in said
    assert "dlr policy show" in dlr.fails(*words, "zzz", code=2)


@pytest.mark.parametrize("words", ACCOUNTS, ids=" ".join)
def test_an_account_that_there_is_not_is_told_with_the_nearest_one(
    desk: Desk, dlr: Dlr, words: tuple[str, ...]
) -> None:
    desk.handle(report("m-1", 9, 27))
    said = dlr.fails(*words, "mian", code=2)
    assert "no account 'mian'" in said
    assert "Did you mean main?" in said


def test_a_rule_that_left_the_policy_is_still_one(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 27), report("m-2", 9, 1, to="447700900456"))
    with desk.database.transaction() as connection:
        for table in (retries, suppressions):
            connection.execute(table.update().values(rule="of-old"))
    assert len(dlr.lines("retries", "list", "--rule", "of-old")) == 1
    assert "1 accepted" in dlr("proposals", "accept", "--rule", "of-old", "--yes")
    assert dlr.json("retries", "list", "--rule", "from-incident") == []


def test_a_broken_policy_is_no_reason_not_to_look(dlr: Dlr, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("version = [")
    assert dlr.json("retries", "list", "--rule", "anything", policy=str(policy)) == []


def test_accounts_are_known_from_settings_keys_and_rows(desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text('[shop]\nbase_url = "https://x.api.infobip.com"\nkey = "k"\n')
    dlr("keys", "create", "app", "--account", "app")
    desk.handle(report("m-1", 9, 27), account="rows")
    for account, more in (("shop", {"accounts": str(file)}), ("app", {}), ("rows", {}), ("tok", {})):
        settings = more or ({"account_tokens": "tok=0123456789abcdef0123456789abcdef"} if account == "tok" else {})
        assert dlr("suppress", "add", PERSON, "--account", account, **settings) == "1 added.\n"


def test_a_line_of_a_file_with_such_an_account_is_bad(desk: Desk, dlr: Dlr, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("address,account\n447700900001,main\n447700900002,mian\n")
    result = dlr.run("suppress", "import", str(file))
    assert (result.exit_code, result.stdout) == (1, "1 added, 0 stood already.\n")
    assert "line 3: there is no account 'mian'; Did you mean main?" in result.stderr


def test_a_channel_that_quarantine_cannot_have_is_told(dlr: Dlr) -> None:
    assert "Did you mean sms" in dlr.fails("quarantine", "list", "--channel", "smss", code=2)


def test_a_silence_of_a_rule_that_nobody_has_heard_of_says_so(desk: Desk, dlr: Dlr) -> None:
    """Rules of the service itself stand in no policy, so such a silence is made all the same."""
    result = dlr.run("incidents", "silence", "--rule", "relay-losst", "--until", "1h")
    assert result.exit_code == 0
    assert "no incident of a rule 'relay-losst'" in result.stderr
    known = dlr.run("incidents", "silence", "--rule", "account-funds", "--until", "1h")
    assert (known.exit_code, known.stderr) == (0, "")
    assert len(json.loads(dlr("incidents", "silence", "--list", "--format", "json"))) == 2
