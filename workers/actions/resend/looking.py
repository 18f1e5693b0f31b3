"""Find out from Infobip's logs what became of a resend whose answer was lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from codes.channels import UNKNOWN
from codes.lookup import lookup
from infobip.outbound.logs import KEPT_FOR, Found, Look, NotThere, Unreadable
from infobip.outbound.verdict import DUPLICATE
from store.resending import Resend
from workers.actions.resend.waits import Waits

LOOKS: Final = 3
MOST_POSTS: Final = 2
_REJECTED: Final = 5


@dataclass(frozen=True, slots=True)
class There:
    """Infobip has it."""

    note: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Infobip had it and rejected it."""

    note: str


@dataclass(frozen=True, slots=True)
class Never:
    """It never arrived there: it may be posted once more, under the same id."""


@dataclass(frozen=True, slots=True)
class Later:
    """Look again then. `read`: the logs were read and did not show it."""

    at: datetime
    note: str
    read: bool


@dataclass(frozen=True, slots=True)
class Operator:
    """Nobody can find out: a person decides."""

    why: str


Finding = There | Rejected | Never | Later | Operator


def judge(one: Resend, look: Look, now: datetime, waits: Waits) -> Finding:
    """Return what a look into the logs means for the resend. Pure.

    That the logs do not show it proves something only after `LOOKS` successful reads over half an hour, the last of
    which shows a later message of ours (OUTBOUND 7.3); and only once: a second lost answer is a person's to decide.
    """
    if isinstance(look, Found):
        return _found(one, look)
    if isinstance(look, Unreadable) and not look.ever:
        return Operator(look.reason)
    if one.sent_at is not None and now - one.sent_at >= KEPT_FOR - waits.looked_for:
        return Operator("the logs go back no further")
    if isinstance(look, Unreadable):
        wait = look.retry_after or _pause(one, waits)
        return Later(now + wait, f"Infobip's logs cannot be read: {look.reason}", read=False)
    return _missing(one, look, now, waits)


def _found(one: Resend, look: Found) -> Finding:
    status = look.status
    if lookup(look.channel or one.channel or UNKNOWN, status, None).cause == DUPLICATE:
        return There("Infobip's logs show it, and a copy of it that was refused")
    if status is not None and status.group_id == _REJECTED:
        return Rejected(f"Infobip's logs show it rejected: {status.name or status.id}")
    return There("Infobip's logs show it")


def _missing(one: Resend, look: NotThere, now: datetime, waits: Waits) -> Finding:
    looks = one.looks + 1
    since = one.first_look_at or now
    if looks >= LOOKS and now - since >= waits.looked_for and look.control:
        if one.posts >= MOST_POSTS:
            return Operator("it was posted twice under the same id, and the logs show neither")
        return Never()
    note = f"Infobip's logs do not show it, looked at {looks} time{'s' * (looks != 1)}"
    return Later(now + _pause(one, waits), note, read=True)


def _pause(one: Resend, waits: Waits) -> timedelta:
    return waits.pauses[min(one.looks, len(waits.pauses) - 1)]
