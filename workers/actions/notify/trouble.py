"""What a person hears of routes that do not work: over the other routes, in the log and from `dlr doctor`."""

from datetime import datetime, timedelta
from typing import Final

from config.accounts import MAIN
from store.incidents import Sighting
from store.notices import FACT_ROUTE
from workers.actions.results import Outcome, Result

DOWN: Final = "alert-route-down"
LOST: Final = "alert-route-lost"
# It is over once the route has been well for as long; while it fails, it is tried every ten minutes at least.
_QUIET: Final = timedelta(minutes=25)
_NEXT: Final = "Run `dlr alerts test {route}`, and correct the route in the file that DLR_ALERT_ROUTES names."


def trouble(route: str, result: Result, now: datetime) -> Sighting | None:
    """Return the sighting of a failed attempt."""
    told = {
        Outcome.DOWN: "does not take notifications",
        Outcome.FORBIDDEN: "may not be connected to",
        Outcome.REFUSED: "refuses notifications",
        Outcome.FAULT: "meets an error in our own code",
    }.get(result.outcome)
    if told is None:
        return None
    return Sighting(
        account=MAIN,
        key=f"{DOWN}|{route}",
        rule=DOWN,
        severity="critical",
        title=f"The alert route {route} {told}: {result.reason}",
        next_step=f"{_NEXT.format(route=route)} What waits is kept for three days and leaves once it works.",
        at=now,
        threshold=1,
        facts={FACT_ROUTE: route},
        quiet=_QUIET,
    )


def lost(route: str, reason: str, now: datetime, count: int) -> Sighting:
    """Return the sighting of notices that were given up."""
    return Sighting(
        account=MAIN,
        key=f"{LOST}|{route}",
        rule=LOST,
        severity="critical",
        title=f"Notifications for the alert route {route} were given up: {reason}",
        next_step=f"{_NEXT.format(route=route)} `dlr incidents list` shows what nobody was told of there.",
        at=now,
        count=count,
        facts={FACT_ROUTE: route},
    )
