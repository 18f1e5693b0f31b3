"""What became of a resend, written down: each result has one function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from config.mask import mask_text
from infobip.outbound.results import NotSent, Refused, Result, Sent, Unknown
from policy.leaving import NO_CONTENT
from store import incidents, passes, resending
from store.incidents import Sighting
from store.resending import Resend

_BACK_OFF: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Told:
    """Who writes something down of a resend, and when; `look_at` is when the logs are asked where nobody knows."""

    owner: str
    now: datetime
    look_at: datetime


def record(connection: Connection, one: Resend, result: Result, told: Told) -> bool:
    """Write down what became of the resend. Whether the row was still ours, or the result settles it all the same."""
    return _RECORDERS[type(result)](connection, one, result, told)


def _sent(connection: Connection, one: Resend, result: Sent, told: Told) -> bool:
    return resending.accepted(connection, one, told.now, "Infobip had it already" if result.already else "")


def _refused(connection: Connection, one: Resend, result: Refused, told: Told) -> bool:
    status = result.status.name if result.status and result.status.name else result.code
    incidents.note(connection, [refusal(one, status, result, told.now)])
    note = mask_text(f"Infobip refused it: {status}: {result.text}")
    is_ours = resending.refused(connection, one, told.owner, told.now, note)
    passes.refused(connection, one.id)
    return is_ours


def _not_sent(connection: Connection, one: Resend, result: NotSent, told: Told) -> bool:
    wait = result.retry_after or min(_BACK_OFF * 2 ** min(one.tries, 10), _LONGEST)
    note = f"it did not leave: {result.reason}"
    if not resending.did_not_leave(connection, one, told.owner, told.now, told.now + wait, note):
        return False
    passes.came_back(connection, one.id)
    return True


def _unknown(connection: Connection, one: Resend, result: Unknown, told: Told) -> bool:
    note = f"nobody knows whether Infobip has it: {result.reason}"
    return resending.doubtful(connection, one, told.owner, told.now, told.look_at, note)


Recorder = Callable[[Connection, Resend, Any, Told], bool]
_RECORDERS: Final[Mapping[type, Recorder]] = {
    Sent: _sent,
    Refused: _refused,
    NotSent: _not_sent,
    Unknown: _unknown,
}


def refusal(one: Resend, status: str, result: Refused, now: datetime) -> Sighting:
    """Return what a refusal adds to its incident."""
    return Sighting(
        account=one.account,
        key=f"resend-refused|status={status}",
        rule="resend-refused",
        severity="critical",
        title=f"Infobip refuses resends: {status}",
        next_step=f"{result.next_step} Then `dlr retries from-incident ID`, with this incident's id, lists what can "
        "still be sent again.",
        at=now,
        example=one.new_id,
    )


def waiting(one: Resend, why: str, now: datetime) -> Sighting:
    """Return the sighting of a resend that cannot leave before somebody has done something."""
    return without_content(one, now) if why == NO_CONTENT else without_credential(one, now)


def without_content(one: Resend, now: datetime) -> Sighting:
    """Return the sighting of a resend whose content nobody registered."""
    return Sighting(
        account=one.account,
        key="content-not-registered",
        rule="content-not-registered",
        severity="warning",
        title="Messages could be sent again, but nobody registered what they said",
        next_step="Connect the sender: let it send through /proxy, or post its sends to /api/v1/sends, or give its "
        "account a resend_url; docs/resend.md shows all three.",
        at=now,
    )


def without_credential(one: Resend, now: datetime) -> Sighting:
    """Return the sighting of a resend for which no fitting credential is configured."""
    return Sighting(
        account=one.account,
        key="resend-no-credential",
        rule="resend-no-credential",
        severity="critical",
        title=f"Resends wait: no credential is known to belong to the Infobip account of {one.account}",
        next_step="Set DLR_INFOBIP_URL and DLR_INFOBIP_KEY to what the application uses, or DLR_INFOBIP_ONE_ACCOUNT "
        "to true where every application uses keys of the same Infobip account; then "
        "`dlr retries run --state waiting`.",
        at=now,
    )


def over_budget(one: Resend, why: str, now: datetime) -> Sighting:
    """Return the sighting of a resend that waits since its account has spent what it may in 24 hours."""
    return Sighting(
        account=one.account,
        key="resend-budget",
        rule="resend-budget",
        severity="warning",
        title=f"Resends of {one.account} wait: a daily budget is used up",
        next_step=f"{why[:1].upper()}{why[1:]}. See by `dlr retries list` and `dlr incidents list` whether so many "
        "failures are meant to be sent again; raise resends_per_day, resends_share or money_per_day "
        "(docs/resend.md) where they are. What waits leaves as soon as there is room, and not after its own time.",
        at=now,
        example=one.new_id,
    )


def undecided(one: Resend, why: str, now: datetime) -> Sighting:
    """Return the sighting of a resend of which nobody can find out whether it left."""
    return Sighting(
        account=one.account,
        key="resend-undecided",
        rule="resend-undecided",
        severity="warning",
        title="Nobody knows whether some resends reached Infobip",
        next_step="Look the ids up in Infobip's portal. `dlr retries run ID` posts one once more that is not there, "
        f"`dlr retries cancel ID` leaves it. Why: {why}",
        at=now,
        example=one.new_id,
    )
