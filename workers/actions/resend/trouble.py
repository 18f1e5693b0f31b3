"""A resend at which our own code fails: it is put aside for a while, so that it holds up nobody else's."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from infobip.outbound.logs import KEPT_FOR
from store import incidents, resending
from store.incidents import Sighting
from store.resending import EXPIRED, UNKNOWN, Resend

_AGAIN: Final = timedelta(minutes=15)


def put_aside(connection: Connection, one: Resend, owner: str, now: datetime, error: Exception) -> bool:
    """Let it wait, if it is still this owner's and has not left; whether it does, or has ended.

    One whose request may have left is not touched: once its lease is over, it is looked up in the logs.
    """
    what = type(error).__name__
    incidents.note(connection, [_sighting(one, what, now)])
    note = f"our own code failed ({what}); it is tried again"
    if one.state == UNKNOWN:
        too_late = one.sent_at is not None and now - one.sent_at >= KEPT_FOR
        return resending.looked(connection, one, owner, now, None if too_late else now + _AGAIN, note, read=False)
    if now + _AGAIN >= one.give_up_at:
        return resending.end(
            connection, one, owner, now, EXPIRED, f"our own code failed ({what}) until it was too late"
        )
    return resending.hold(connection, one, owner, now, now + _AGAIN, note)


def _sighting(one: Resend, what: str, now: datetime) -> Sighting:
    return Sighting(
        account=one.account,
        key=f"resend-fault|error={what}",
        rule="resend-fault",
        severity="critical",
        title=f"Some resends cannot leave, since our own code fails at them: {what}",
        next_step="The log has the whole error. Where a key is missing, restore keys.json from its backup; else "
        "update. `dlr retries list` shows them; they are tried again every 15 minutes until their time is over.",
        at=now,
        example=one.new_id,
    )
