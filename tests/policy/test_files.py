"""Policy files: each mistake is named with its file, its rule and the fix, and the operator's rules come first."""

from pathlib import Path

import pytest

from policy import PolicyError, load_policy, shipped_policy
from tests.policy.cases import FAILED, decided, kinds, own_policy

RULE = '[[rule]]\nid = "{id}"\nmatch = {{ {match} }}\nwhy = "our carrier says so"\n{does}\n'
TELL = 'alert = { severity = "info" }'
RESEND = 'retry = { every = "1h" }'
SUPPRESS = 'suppress = { scope = "all" }'


def rule(match: str, does: str = TELL, id: str = "ours") -> str:
    return RULE.format(id=id, match=match, does=does)


MISTAKES = {
    "key": (
        rule('causes = ["expired"]'),
        "rule 'ours', match.causes",
        "there is no key 'causes'",
        "Did you mean cause?",
    ),
    "action": (
        rule('cause = "expired"', 'supress = { scope = "all" }'),
        "rule 'ours', supress",
        "there is no key 'supress'",
        "Did you mean suppress?",
    ),
    "nested-key": (
        rule('cause = "expired"', 'retry = { evry = "1h" }'),
        "rule 'ours', retry.evry",
        "there is no key 'evry'",
        "Did you mean every?",
    ),
    "section": ("[[rules]]\n", "rules", "there is no such section", "Did you mean rule?"),
    "code-name": (
        rule('error = ["EC_USER_OUT_OF_CREDTI"]'),
        "rule 'ours', match.error",
        "no error 'EC_USER_OUT_OF_CREDTI' is in the tables",
        "Did you mean EC_USER_OUT_OF_CREDIT?",
    ),
    "code-id": (
        rule("error = [99999]"),
        "rule 'ours', match.error",
        "no error 99999 is in the tables",
        "`dlr codes` lists them all; DLR_CODES_LOCAL adds your own.",
    ),
    "status-for-error": (
        rule("error = [15, 29]"),
        "rule 'ours', match.error",
        "no error 29 is in the tables",
        "`dlr codes` lists them all; DLR_CODES_LOCAL adds your own.",
    ),
    "no-codes": (
        rule("error = []"),
        "rule 'ours', match.error",
        "[] is not a list of codes",
        "Write ids or names such as [27, 'EC_ABSENT_SUBSCRIBER'].",
    ),
    "table-for-code": (
        rule("error = [{}]"),
        "rule 'ours', match.error",
        "[{}] is not a list of codes",
        "Write ids or names such as [27, 'EC_ABSENT_SUBSCRIBER'].",
    ),
    "cause": (
        rule('cause = "throtled"'),
        "rule 'ours', match.cause",
        "'throtled' is not known",
        "Did you mean throttled?",
    ),
    "channel": (rule('channel = "smss"'), "rule 'ours', match.channel", "'smss' is not known", "Did you mean sms?"),
    "duration": (
        rule("error = [27]", "retry = { every = 5 }"),
        "rule 'ours', retry.every",
        "5 is not a duration",
        "Write a text such as '15m' or '7d'.",
    ),
    "never-matches": (
        rule("") + rule("error = [27]", id="later"),
        "rule 'later'",
        "it can never match, for rule 'ours' before it takes all that it names",
        "Move it up, narrow the other, or delete one.",
    ),
    "exception-after-its-rule": (
        rule('cause = ["recipient_unreachable"]') + rule("error = [27]", id="later"),
        "rule 'later'",
        "it can never match, for rule 'ours' before it takes all that it names",
        "Move it up, narrow the other, or delete one.",
    ),
    "contradiction": (
        rule('cause = "expired", channel = "sms"', RESEND) + rule('cause = "expired", sender = "A"', SUPPRESS, "later"),
        "rule 'later'",
        "it overlaps with rule 'ours', and one sends again what the other suppresses",
        "Narrow one of them so that their order does not decide.",
    ),
    "no-such-cause-among-its-codes": (
        rule('error = [27], cause = "throttled"'),
        "rule 'ours'",
        "none of its codes has one of its causes",
        "Leave out cause or correct the codes.",
    ),
    "ignore-and-action": (
        rule("error = [27]", f"ignore = true\n{TELL}"),
        "rule 'ours'",
        "it ignores and has alert",
        "Leave out one of the two.",
    ),
    "does-nothing": (rule("error = [27]", ""), "rule 'ours'", "it does nothing", "Add an action, or ignore = true."),
    "resend-to-the-suppressed": (
        rule("error = [27]", f"{RESEND}\n{SUPPRESS}"),
        "rule 'ours'",
        "it sends again to whom it suppresses at once",
        "Give suppress an after or tiers, or leave out one of the two.",
    ),
    "resend-after-opt-out": (
        rule('cause = "recipient_opted_out"', RESEND),
        "rule 'ours'",
        "it would resend after recipient_opted_out",
        "Leave out retry: nothing is ever sent again after it.",
    ),
    "resend-after-stop-by-code": (
        rule("error = [27, 603]", RESEND),
        "rule 'ours'",
        "it would resend after recipient_opted_out",
        "Leave out retry: nothing is ever sent again after it.",
    ),
    "two-of-one-id": (
        rule("error = [27]") + rule("error = [31]"),
        "rule 'ours'",
        "the id stands there twice",
        "Give each rule an id of its own.",
    ),
    "extends": ('extends = "no"', "extends", "it is neither true nor false", "Write extends = true or false."),
    "version": ("version = 2", "version", "only version 1 of the language exists", "Write version = 1."),
    "one-rule": ("[rule]\n", "rule", "it is not a list of tables", "Begin every rule with a line [[rule]]."),
    "mode": (
        '[modes]\nretri = "act"\n',
        "modes, retri",
        "there is no key 'retri'",
        "Did you mean retry?",
    ),
}


@pytest.mark.parametrize(("text", "where", "problem", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_file_its_rule_and_the_fix(
    tmp_path: Path, text: str, where: str, problem: str, fix: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        own_policy(tmp_path, text)
    found = [(fault.file, fault.where, fault.problem, fault.fix) for fault in caught.value.faults]
    assert found == [(str(tmp_path / "own.toml"), where, problem, fix)]
    assert str(caught.value) == f"{tmp_path / 'own.toml'}: {where}: {problem}. {fix}"


@pytest.mark.parametrize("content", [b"rule = = 3", b"\xff\xfe\x00", b"[[rule]\n"])
def test_a_file_that_is_not_toml_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    (fault,) = caught.value.faults
    assert (fault.file, fault.where) == (str(path), "the file")
    assert fault.problem.startswith("it is not TOML: ")
    assert fault.fix == "Correct it there; `dlr policy check FILE` tells when it is right."


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        own_policy(tmp_path, rule("error = [99999]") + rule('channel = "smss"', id="other"))
    assert [fault.where for fault in caught.value.faults] == ["rule 'ours', match.error", "rule 'other', match.channel"]


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_policy(tmp_path / "nothing.toml")


def test_the_operators_rules_stand_before_the_shipped_ones(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, rule("error = [27]"))
    assert [found.id for found in rules.rules] == ["ours", *(found.id for found in shipped_policy().rules)]
    assert decided("sms", FAILED, 27, rules=rules).rule == "ours"
    assert decided("sms", FAILED, 6, rules=rules).rule == "unreachable"


def test_extends_false_leaves_the_shipped_rules_out(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, f"extends = false\n{rule('error = [27]')}")
    assert [found.id for found in rules.rules] == ["ours"]
    assert kinds(decided("sms", FAILED, 6, rules=rules)) == ["ignore"]


def test_without_any_rule_nothing_is_done_and_the_reason_says_so(tmp_path: Path) -> None:
    decision = decided("sms", FAILED, 603, rules=own_policy(tmp_path, "extends = false\n"))
    assert (decision.rule, kinds(decision)) == ("no-rule", ["ignore"])
    assert decision.reason.endswith("nothing is done; no rule speaks of it.")


def test_an_own_rule_with_the_id_of_a_shipped_one_decides_only_what_it_matches(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, rule('cause = "recipient_unreachable", sender = "A"', id="unreachable"))
    ours, shipped = (decided("sms", FAILED, 27, rules=rules, sender=sender) for sender in ("A", "B"))
    assert (kinds(ours), kinds(shipped)) == (["alert"], ["retry"])


def test_the_operators_limits_lie_over_the_shipped_ones(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, '[limits]\nsettle = "90s"\n')
    assert rules.limits.settle.total_seconds() == 90
    assert rules.limits.attempts == 3


def test_the_version_changes_with_the_file_and_stands_in_the_decision(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, rule("error = [27]"))
    decision = decided("sms", FAILED, 27, rules=rules)
    assert decision.policy == rules.version != shipped_policy().version


def test_an_unknown_section_hides_no_other_mistake(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('[mode]\nretry = "act"\n[limits]\nsettle = "soon"\n' + rule('cause = "recipent_unknown"'))
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert {fault.where.split(",")[0] for fault in caught.value.faults} == {"mode", "limits", "rule 'ours'"}


def test_the_shipped_file_checked_by_its_name_is_itself_and_nothing_more() -> None:
    path = Path(__file__).parents[2] / "config" / "policy.toml"
    assert len(load_policy(path).rules) == len(shipped_policy().rules)
