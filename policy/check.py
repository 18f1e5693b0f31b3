"""Find rules that read well and do the wrong thing: they can never match, contradict another, or forbid themselves."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from codes import Tables
from policy.errors import PolicyFault
from policy.matching import Conditions
from policy.resending import NEVER_RESENT
from policy.rules import Rule

_DIMENSIONS: Final = tuple(field.name for field in fields(Conditions))
_CODES: Final = ("status", "error")
# What is known of a message as it is sent. The rest of the conditions only a report can meet.
_OF_SENDS: Final = frozenset(
    {"account", "channel", "purpose", "sender", "application", "entity", "country", "campaign"}
)


def faults_of(rules: list[Rule], tables: Tables) -> Iterator[PolicyFault]:
    """Yield the mistakes of one file's rules, taken in order."""
    causes = _causes_by_code(tables)
    for index, rule in enumerate(rules):
        yield from _about_sends(rule) if rule.on_silence else _by_itself(rule, causes)
        for earlier in rules[:index]:
            if bool(earlier.on_silence) != bool(rule.on_silence):
                continue  # one is about sends and the other about reports: they never meet
            if _covers(earlier, rule, causes):
                problem = f"it can never match, for rule {earlier.id!r} before it takes all that it names"
                yield PolicyFault(rule.file, _at(rule), problem, "Move it up, narrow the other, or delete one.")
                break
            if _contradicts(earlier, rule):
                problem = f"it overlaps with rule {earlier.id!r}, and one sends again what the other suppresses"
                yield PolicyFault(
                    rule.file, _at(rule), problem, "Narrow one of them so that their order does not decide."
                )


def _at(rule: Rule) -> str:
    return f"rule {rule.id!r}"


def _by_itself(rule: Rule, causes: dict[tuple[str, int | str], set[str]]) -> Iterator[PolicyFault]:
    does = [name for name in ("retry", "suppress", "alert", "forward") if getattr(rule, name)]
    if not does and not rule.ignore:
        yield PolicyFault(rule.file, _at(rule), "it does nothing", "Add an action, or ignore = true.")
    if does and rule.ignore:
        yield PolicyFault(rule.file, _at(rule), f"it ignores and has {does[0]}", "Leave out one of the two.")
    if rule.retry and rule.suppress and rule.suppress.at_once and rule.suppress.purpose == "all":
        problem = "it sends again to whom it suppresses at once"
        yield PolicyFault(
            rule.file, _at(rule), problem, "Give suppress an after or tiers, or leave out one of the two."
        )
    if rule.retry:
        named = set(rule.conditions.cause) or set().union(*_named_causes(rule.conditions, causes))
        forbidden = sorted(named & NEVER_RESENT)
        if forbidden:
            fix = "Leave out retry: nothing is ever sent again after it."
            yield PolicyFault(rule.file, _at(rule), f"it would resend after {forbidden[0]}", fix)
    impossible = rule.conditions.cause and _named_causes(rule.conditions, causes)
    if impossible and not any(rule.conditions.cause & found for found in impossible):
        yield PolicyFault(
            rule.file, _at(rule), "none of its codes has one of its causes", "Leave out cause or correct the codes."
        )


def _about_sends(rule: Rule) -> Iterator[PolicyFault]:
    """Yield the mistakes of a rule with `on_silence`: it is asked when a message is sent, when there is no report."""
    assert rule.on_silence is not None
    does = [name for name in ("retry", "suppress", "alert", "forward", "ignore", "counts_as") if getattr(rule, name)]
    if does:
        fix = "Write two rules: that with on_silence is about sends, and never decides on a report."
        yield PolicyFault(rule.file, _at(rule), f"it has on_silence and {does[0]}", fix)
    for name in _DIMENSIONS:
        if name not in _OF_SENDS and getattr(rule.conditions, name) not in (None, frozenset()):
            fix = f"Leave it out; a rule with on_silence may name {', '.join(sorted(_OF_SENDS))}."
            problem = "on_silence has no report to look at, so this can never be met"
            yield PolicyFault(rule.file, f"{_at(rule)}, match.{name}", problem, fix)
    if rule.conditions.channel and rule.conditions.channel <= {rule.on_silence.then}:
        problem = f"it would start {rule.on_silence.then} where {rule.on_silence.then} is silent"
        yield PolicyFault(rule.file, f"{_at(rule)}, on_silence.then", problem, "Name another channel.")


def _causes_by_code(tables: Tables) -> dict[tuple[str, int | str], set[str]]:
    causes: dict[tuple[str, int | str], set[str]] = {}
    for row in tables.rows:
        for key in ((row.kind, row.id), (row.kind, row.name.lower())):
            causes.setdefault(key, set()).add(row.cause)
    return causes


def _named_causes(conditions: Conditions, causes: dict[tuple[str, int | str], set[str]]) -> list[set[str]]:
    return [causes[kind, code] for kind in _CODES for code in getattr(conditions, kind)]


def _covers(earlier: Rule, later: Rule, causes: dict[tuple[str, int | str], set[str]]) -> bool:
    """Whether everything that `later` names is taken by `earlier`.

    A rule about codes is covered by an earlier one about their causes: that is the usual slip, an exception that
    stands after its rule.
    """
    for name in _DIMENSIONS:
        wide, narrow = getattr(earlier.conditions, name), getattr(later.conditions, name)
        if wide is None or wide == frozenset():
            continue
        if name == "cause" and not narrow:
            named = _named_causes(later.conditions, causes)
            if named and all(found <= wide for found in named):
                continue
            return False
        if isinstance(wide, frozenset):
            if not narrow or not narrow <= wide:
                return False
        elif narrow != wide:
            return False
    return True


def _contradicts(earlier: Rule, later: Rule) -> bool:
    """Whether two rules of the same rank overlap in part, and one resends while the other suppresses.

    A rule that names codes stands above one that names causes, so only two of a kind can be in doubt.
    """
    one, other = earlier.conditions, later.conditions
    if any(bool(getattr(one, kind)) != bool(getattr(other, kind)) for kind in _CODES):
        return False
    opposed = (_resends_only(earlier), _resends_only(later)) == (_suppresses_only(later), _suppresses_only(earlier))
    return (
        opposed
        and (_resends_only(earlier) or _resends_only(later))
        and _overlap(one, other)
        and not _narrower(one, other)
    )


def _resends_only(rule: Rule) -> bool:
    return rule.retry is not None and rule.suppress is None


def _suppresses_only(rule: Rule) -> bool:
    return rule.suppress is not None and rule.retry is None


def _overlap(one: Conditions, other: Conditions) -> bool:
    for name in _DIMENSIONS:
        left, right = getattr(one, name), getattr(other, name)
        if isinstance(left, frozenset):
            if left and right and not left & right:
                return False
        elif None not in (left, right) and left != right:
            return False
    return True


def _narrower(one: Conditions, other: Conditions) -> bool:
    """Whether `one` names, in every dimension, no more than `other`: then it is a plain exception to it."""
    for name in _DIMENSIONS:
        left, right = getattr(one, name), getattr(other, name)
        if isinstance(left, frozenset):
            if right and not (left and left <= right):
                return False
        elif right is not None and left != right:
            return False
    return True
