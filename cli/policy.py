"""`dlr policy`: check a policy file, and see the rules in force."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from cli.groups import Naming
from cli.output import counted, fail, format_option, print_json, print_table
from cli.state import codes_or_fail, rules_or_fail, settings_or_fail
from policy import PolicyError, Rule, load_policy, words
from policy.durations import in_words
from policy.suppress_plan import SuppressPlan


@click.group(cls=Naming)
def policy() -> None:
    """Check a policy file, or show the rules in force."""


@policy.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option
def check(file: Path | None, form: str) -> None:
    """Check FILE, or the policy in force. Exit code 2 where it has mistakes."""
    settings = settings_or_fail()
    codes = codes_or_fail(settings)
    try:
        rules = load_policy(file or settings.policy, codes.tables)
    except PolicyError as error:
        faults = [dataclasses.asdict(fault) for fault in error.faults]
        told = f"{counted(len(faults), 'mistake')}:\n{error}"
        raise fail(told, 2, details={"faults": faults}) from None
    except OSError as error:
        raise fail(f"{file or settings.policy} cannot be read: {error}", 2) from None
    if form == "json":
        print_json({"rules": len(rules.rules), "version": rules.version, "faults": []})
        return
    click.echo(f"{counted(len(rules.rules), 'rule is', 'rules are')} in order (version {rules.version}).")


@policy.command()
@format_option
def show(form: str) -> None:
    """Print the rules in force, in the order in which they are tried."""
    settings = settings_or_fail()
    rules = rules_or_fail(settings, codes_or_fail(settings))
    if form == "json":
        print_json(
            {"version": rules.version, "modes": rules.modes, "rules": [_as_object(rule) for rule in rules.rules]}
        )
        return
    modes = ", ".join(f"{kind}: {mode}" for kind, mode in sorted(rules.modes.items()))
    click.echo(f"Version {rules.version}. Modes: {modes}.")
    rows = [(rule.id, _conditions(rule), _actions(rule), rule.why, rule.file) for rule in rules.rules]
    print_table(("rule", "matches", "does", "since", "file"), rows)


def _as_object(rule: Rule) -> dict[str, Any]:
    plain = json.loads(json.dumps(dataclasses.asdict(rule), default=_plain))
    plain["conditions"] = {name: value for name, value in plain["conditions"].items() if value not in (None, [])}
    return {name: value for name, value in plain.items() if value not in (None, "", False)}


def _plain(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, frozenset) else in_words(value)


def _conditions(rule: Rule) -> str:
    set_ones = {f.name: getattr(rule.conditions, f.name) for f in dataclasses.fields(rule.conditions)}
    parts = []
    for name, value in set_ones.items():
        if isinstance(value, bool):
            parts.append(f"{name}: {'yes' if value else 'no'}")
        elif value:
            parts.append(f"{name}: {', '.join(sorted(map(str, value)))}")
    return "; ".join(parts) or "everything"


def _actions(rule: Rule) -> str:
    parts = []
    if rule.retry:
        parts.append(f"retry up to {counted(rule.retry.attempts, 'time')}")
    if rule.suppress:
        parts.append(_suppresses(rule.suppress))
    if rule.alert:
        parts.append(f"alert ({rule.alert.severity})")
    if rule.on_silence:
        parts.append(f"start {rule.on_silence.then} after {in_words(rule.on_silence.after)} of silence")
    if rule.forward:
        parts.append(f"forward to {rule.forward}")
    return ", ".join(parts) or "ignore"


def _suppresses(plan: SuppressPlan) -> str:
    what = " marketing" if plan.purpose == "marketing" else ""
    if plan.tiers:
        return f"suppress{what} ({plan.scope}) " + ", then ".join(words.tier(one) for one in plan.tiers)
    lasts = f" for {in_words(plan.lasts)}" if plan.lasts else ""
    days = f" after {plan.failures} days of failure" if plan.failures > 1 else ""
    return f"suppress{what} ({plan.scope}){lasts}{days}"
