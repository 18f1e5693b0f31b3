"""What a person hears of relays that do not work."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.incidents import Sighting
from store.outbox import Delivery
from workers.actions.results import Outcome, Result


@dataclass(frozen=True, slots=True)
class _Trouble:
    rule: str
    severity: str
    title: str
    next_step: str
    threshold: int


_WITHIN: Final = timedelta(hours=6)
# An outage is one for a person once some probes have failed: a restart of the target is none. The first callbacks
# that are refused may be odd ones.
_TROUBLES: Final = {
    Outcome.DOWN: _Trouble(
        "relay-down",
        "warning",
        "Callbacks cannot be passed on to {origin}: {reason}",
        "See whether the target is up and reachable from here. What waits is passed on once it answers with 2xx, and "
        "is given up 42 hours after it came.",
        4,
    ),
    Outcome.FORBIDDEN: _Trouble(
        "relay-private",
        "warning",
        "Callbacks are not passed on to {origin}: {reason}",
        "Set DLR_RELAY_PRIVATE=true if that target is meant, or correct DLR_RELAY_URL, within 42 hours.",
        1,
    ),
    Outcome.REFUSED: _Trouble(
        "relay-refused",
        "warning",
        "Callbacks are refused by {origin}: {reason}",
        "Compare the path and the secrets in DLR_RELAY_URL with what the target expects. What was refused is offered "
        "again, ever more slowly, for 42 hours.",
        5,
    ),
    Outcome.FAULT: _Trouble(
        "relay-fault",
        "warning",
        "Callbacks for {origin} meet an error in our own code: {reason}",
        "Find the error in the log and update. They are tried again for 42 hours.",
        1,
    ),
}


def refusal_or_outage(delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
    """Return the sighting of a failed attempt."""
    trouble = _TROUBLES.get(result.outcome)
    if trouble is None:
        return None
    origin = _origin(delivery.target)
    return Sighting(
        account=delivery.account,
        key=f"{trouble.rule}|{delivery.target}",
        rule=trouble.rule,
        severity=trouble.severity,
        title=trouble.title.format(origin=origin, reason=result.reason),
        next_step=trouble.next_step,
        at=now,
        threshold=trouble.threshold,
        within=_WITHIN,
        example=f"callback {delivery.subject}",
    )


def given_up(account: str, target: str, reason: str, now: datetime, count: int) -> Sighting:
    """Return the sighting of callbacks that were given up."""
    return Sighting(
        account=account,
        key=f"relay-lost|{target}",
        rule="relay-lost",
        severity="critical",
        title=f"Callbacks for {_origin(target)} were given up: {reason}",
        next_step="This service itself has processed them; the target has to do without, or be told by other means.",
        at=now,
        count=count,
    )


def _origin(target: str) -> str:
    return target.partition(" ")[0]
