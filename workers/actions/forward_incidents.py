"""What a person hears of endpoints that take no events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from store.incidents import Sighting
from store.outbox import Delivery
from workers.actions.judging import GONE_FOR
from workers.actions.results import Outcome, Result


@dataclass(frozen=True, slots=True)
class _Trouble:
    rule: str
    title: str
    next_step: str
    threshold: int


_WITHIN: Final = timedelta(hours=6)
_LATER: Final = "What waits is sent once it works again, until the endpoint's `give_up_after`"
_TROUBLES: Final = {
    Outcome.DOWN: _Trouble(
        "forward-down",
        "The forward endpoint {name!r} is paused: {reason}",
        f"See whether it is up and reachable from here; until then only probes are sent to it. {_LATER}; "
        "`dlr forward resume {name}` tries at once.",
        4,
    ),
    Outcome.FORBIDDEN: _Trouble(
        "forward-private",
        "Events do not leave for the forward endpoint {name!r}: {reason}",
        "Write private = true below [{name}] in the file of DLR_FORWARD if that address is meant, or correct the URL.",
        1,
    ),
    Outcome.REFUSED: _Trouble(
        "forward-refused",
        "The forward endpoint {name!r} refuses events: {reason}",
        "Compare its secret and its URL with what it expects; `dlr forward test {name}` tries it. " + _LATER + ".",
        5,
    ),
    Outcome.FAULT: _Trouble(
        "forward-fault",
        "Events for the forward endpoint {name!r} meet an error on our side: {reason}",
        "See the log for the error, and `dlr forward list` for the file's mistakes. " + _LATER + ".",
        1,
    ),
}


def trouble(delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
    """Return the sighting of a failed attempt."""
    found = _TROUBLES.get(result.outcome)
    if found is None:
        return None
    return Sighting(
        account=delivery.account,
        key=f"{found.rule}|{delivery.target}",
        rule=found.rule,
        severity="warning",
        title=found.title.format(name=delivery.target, reason=result.reason),
        next_step=found.next_step.format(name=delivery.target),
        at=now,
        # Whoever says that it is gone is asked so seldom that a second word would come much too late.
        threshold=1 if result.wait == GONE_FOR else found.threshold,
        within=_WITHIN,
    )


def given_up(account: str, target: str, reason: str, now: datetime, count: int) -> Sighting:
    """Return the sighting of events that were given up."""
    return Sighting(
        account=account,
        key=f"forward-lost|{target}",
        rule="forward-lost",
        severity="critical",
        title=f"Events for the forward endpoint {target!r} were given up: {reason}",
        next_step=f"Once it works again, `dlr forward replay --endpoint {target} --from ... --to ...` sends them anew.",
        at=now,
        count=count,
    )


def no_route(account: str, target: str, reason: str, now: datetime, count: int) -> Sighting:
    """Return the sighting of events for an endpoint that there is not."""
    return Sighting(
        account=account,
        key=f"forward-no-route|{target}",
        rule="forward-no-route",
        severity="warning",
        title=f"Events for the forward route {target!r} were given up: {reason}",
        next_step=f"Add [{target}] to the file of DLR_FORWARD, or take `forward` to it out of your policy. "
        "`dlr forward replay` then sends what was given up.",
        at=now,
        count=count,
    )
