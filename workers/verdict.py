"""Compare two decisions on the same report, and what each asked for."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from codes import Outcome
from policy import Decision, Mode, Suppress
from policy.durations import in_words
from store.suppressions import Entry
from store.views import Found
from workers import rows
from workers.prepare import Prepared

_HOUR: Final = timedelta(hours=1)


class Verdict(NamedTuple):
    """What matters of a decision when two are compared: not its wording, and not the moment it was made."""

    outcome: str
    cause: str
    rule: str
    actions: tuple[tuple[str, ...], ...]

    @property
    def does(self) -> str:
        """The actions in words."""
        return ", ".join(" ".join(part for part in action if part) for action in self.actions) or "nothing"


def entries(number: int, item: Prepared, decision: Decision) -> list[Entry]:
    wanted = (action for action in decision.actions if isinstance(action, Suppress) and not action.confirms)
    return [entry for action in wanted if (entry := rows.entry_of(number, item, decision, action)) is not None]


def entries_before(row: Found, item: Prepared) -> list[Entry]:
    """Return the suppressions that the decision in force asked for."""
    decision = row["decision"]
    if decision is None:
        return []
    item = item.but(report=replace(item.report, channel=row["channel"]))
    made = tuple(
        Suppress(one["rule"], Mode(one["mode"]), one["scope"], one["purpose"], one["cause"], None, one["firm"])
        for one in decision["actions"]
        if one["action"] == "suppress" and not one.get("confirms", False)
    )
    stand_in = Decision(Outcome(row["outcome"]), row["cause"], decision["rule"], made, decision["reason"], "", "")
    return entries(row["id"], item, stand_in)


def verdict_of_row(row: Found) -> Verdict | None:
    decision = row["decision"]
    if decision is None:
        return None
    # A replayed decision is made as of the report's receipt, the first one as of when it was processed.
    made_at = row["received_at"] if decision["replay"] else decision["decided_at"]
    actions = tuple(sorted(_essence(action, made_at) for action in decision["actions"]))
    return Verdict(row["outcome"], row["cause"], decision["rule"], actions)


def verdict(decision: Decision, at: datetime) -> Verdict:
    plain = json.loads(rows.as_json(decision.actions))
    actions = tuple(sorted(_essence(action, at) for action in plain))
    return Verdict(decision.outcome.value, decision.cause, decision.rule, actions)


def _essence(action: Mapping[str, Any], made_at: datetime) -> tuple[str, ...]:
    """Return what matters of an action, in words."""
    name, mode = action["action"], f"({action['mode']})" if action["mode"] != "act" else ""
    match name:
        case "retry":
            by = f"by {action['channel']}" if action["channel"] else ""
            return (name, by, "" if action["due_at"] else "(not planned)", mode)
        case "suppress":
            if action.get("confirms", False):
                return (name, "(confirms only)")
            purpose = "" if action["purpose"] == "all" else action["purpose"]
            return (name, purpose, action["scope"], _lasts(action, made_at), mode)
        case "alert":
            return (name, action["severity"], mode)
        case "forward":
            return (name, action["to"], mode)
        case _:
            return (name,)


def _lasts(action: Mapping[str, Any], made_at: datetime) -> str:
    """Return how long a suppression lasts: that of a tier is counted from an earlier moment than the decision's."""
    rests_on = action.get("rests_on") or {}
    if rests_on.get("tier"):
        return f"by tier {rests_on['tier']} of {rests_on['tiers']} ({rests_on['lasts'] or 'for good'})"
    return _span(action["until"], made_at)


def _span(until: str | None, made_at: datetime) -> str:
    if until is None:
        return "for good"
    hours = round((datetime.fromisoformat(until) - made_at) / _HOUR)
    return f"for {in_words(hours * _HOUR)}"
