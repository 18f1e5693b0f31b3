"""Pauses that a surge of passing failures starts by itself, and the end of those that nobody needs any more."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from policy.durations import in_words
from policy.rules import Limits
from policy.surge import is_surge
from store import incidents, pauses, surges
from store.incidents import Sighting
from store.pauses import Pause, Scope
from store.surges import Count

RULE: Final = "resends-paused"
SURGE: Final = "surge"
# Whoever was held back comes back when its pause ends. If nobody has for so long, nobody waits.
_NOBODY_FOR: Final = timedelta(hours=1)


def watch(connection: Connection, limits: Limits, now: datetime) -> list[Pause]:
    """Pause the scopes in which too much has failed of late, and end the pauses that nobody comes to.

    Returns the pauses that it started. A scope that is paused already is left to its probes: what was sent before goes
    on failing, and would close it again and again.
    """
    since = now - limits.pause_window
    counts = surges.fold(connection, since.replace(second=0, microsecond=0))
    started = [pause for count in counts if (pause := _start(connection, count, limits, now)) is not None]
    for old in pauses.forgotten(connection, now - _NOBODY_FOR):
        end(connection, old, now)
    return started


def _start(connection: Connection, count: Count, limits: Limits, now: datetime) -> Pause | None:
    if not is_surge(count.failed, count.total, limits) or pauses.find(connection, count.account, [count.scope]):
        return None
    why = f"{count.failed} of {count.total} messages failed within {in_words(limits.pause_window)}"
    until = now + limits.pause_window
    pauses.pause(connection, count.account, count.scope, now, until, why, SURGE, delay=limits.pause_window)
    [found] = pauses.find(connection, count.account, [count.scope])
    tell(connection, found, now)
    return found


def tell(connection: Connection, paused: Pause, now: datetime) -> None:
    """Say that a pause which started by itself stands: one incident for each scope, while it goes on."""
    if paused.who != SURGE or paused.until is None:
        return
    seen = Sighting(
        account=paused.account,
        key=_key(paused.scope),
        rule=RULE,
        severity="warning",
        title=f"Resends are paused for {named(paused.scope)}: {paused.why}",
        next_step=f"Nothing, if it recovers by itself: from {paused.until:%H:%M} UTC on one message goes ahead as a "
        "probe, and once that arrives the rest follows in rising steps. Where a change on your side has cured it, "
        "`dlr retries resume` ends the pause.",
        at=now,
    )
    incidents.note(connection, [seen])


def end(connection: Connection, paused: Pause, now: datetime) -> None:
    """Say that a pause is over."""
    incidents.end_known(connection, paused.account, _key(paused.scope), now)


def named(scope: Scope) -> str:
    """Return a scope in words."""
    return str(scope) if scope.value else "the whole account"


def _key(scope: Scope) -> str:
    return f"{RULE}|{scope}"
