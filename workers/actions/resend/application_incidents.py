"""What a person hears of an application's resend URL that does not work."""

from datetime import datetime, timedelta
from typing import Final

from config.relays import RelayTarget
from store.incidents import Sighting
from store.resending import Resend
from workers.actions.results import Outcome, Result

_WITHIN: Final = timedelta(hours=6)
# outcome -> (sightings until it is an incident, what to do)
_STEPS: Final = {
    Outcome.DOWN: (
        4,
        "See whether it is up and reachable from here. Resends are offered again until their time is over.",
    ),
    Outcome.FORBIDDEN: (1, "Write resend_private = true in the file of DLR_ACCOUNTS if that address is meant."),
    Outcome.REFUSED: (
        3,
        "Compare resend_url and resend_secret with what the application expects. To say that a message is not to be "
        "sent again, it answers 409 or 410.",
    ),
    Outcome.FAULT: (1, "Find the error in the log and update."),
}


def trouble(one: Resend, target: RelayTarget, result: Result, now: datetime) -> Sighting:
    """Return the sighting of a request that came to nothing."""
    threshold, next_step = _STEPS.get(result.outcome, _STEPS[Outcome.FAULT])
    return Sighting(
        account=one.account,
        key=f"resend-url-{result.outcome.value}|{target.key}",
        rule=f"resend-url-{result.outcome.value}",
        severity="warning",
        title=f"Resends do not reach the application at {target.origin}: {result.reason}",
        next_step=next_step,
        at=now,
        threshold=threshold,
        within=_WITHIN,
        example=one.new_id,
    )
