"""Refusals by a blocklist, ours or Infobip's: they confirm what stands here, and never make anything of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from store.incidents import Sighting
from store.listed import REMOVE, SENT, TO_PUSH
from store.moments import from_ms, to_ms
from store.schema import listed, suppressions
from store.suppressions import DROPPED, STANDING, Entry, standing
from store.writes import select_in

STILL_BLOCKED: Final = "lifted-here-still-blocked-there"
ELSEWHERE: Final = "blocked-elsewhere-only"
_NEWS: Final = timedelta(hours=24)
_MANY: Final = 20


def confirm(connection: Connection, echoes: Sequence[Entry], now: datetime) -> list[Sighting]:
    """Note on the entries that stand that a list said the same; return what a person should know of the others.

    `echoes` are entries as the refusals would make them, were they news.
    """
    if not echoes:
        return []
    theirs: dict[tuple[str, bytes], list[Any]] = {}
    for (account, address, _, _), row in standing(connection, echoes).items():
        theirs.setdefault((account, address), []).append(row)
    confirmed: dict[int, int] = {}
    sightings = []
    leaving = _leaving(connection, theirs)
    for echo in echoes:
        rows = [row for row in theirs.get((echo.account, echo.address), ()) if row.channel in ("", echo.channel)]
        if in_force := [row for row in rows if _stands(row, to_ms(echo.since))]:
            for row in in_force:
                confirmed[row.id] = max(to_ms(echo.since), confirmed.get(row.id, 0), row.confirmed_at or 0)
        elif (echo.account, echo.address) not in leaving and (sighting := _sighting(echo, rows)) is not None:
            sightings.append(sighting)
    if confirmed:
        mine = update(suppressions).where(suppressions.c.id == bindparam("of"))
        values = [{"of": number, "confirmed": from_ms(at)} for number, at in sorted(confirmed.items())]
        connection.execute(mine.values(confirmed_at=bindparam("confirmed")), values)
    return sightings


def _leaving(connection: Connection, people: Iterable[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """Return whom we are just taking off Infobip's list: that they are refused until then is nothing to tell."""
    rows = select_in(connection, listed, "address", sorted({address for _, address in people}))
    return {(row.account, bytes(row.address)) for row in rows if row.op == REMOVE and row.state in (TO_PUSH, SENT)}


def _stands(row: Any, at_ms: int) -> bool:
    return row.state in STANDING and (row.until is None or row.until > at_ms)


def _sighting(echo: Entry, rows: Iterable[Any]) -> Sighting | None:
    over = [row for row in rows if row.state != DROPPED]
    if not over:
        return _elsewhere(echo)
    if any(_ended_at(row) > to_ms(echo.since) for row in over):
        return None  # it was refused while the entry still stood
    return Sighting(
        account=echo.account,
        key=f"{STILL_BLOCKED}|channel={echo.channel}",
        rule=STILL_BLOCKED,
        severity="warning",
        title=f"Lifted here, still blocked there: a blocklist goes on refusing people on {echo.channel}",
        next_step="Take them off Infobip's blocklist, or the e-mail suppressions of the domain, in Infobip's portal; "
        "`dlr suppress show ID` says why the entry was lifted here.",
        at=echo.since,
        example=f"suppression {max(row.id for row in over)}",
    )


def _ended_at(row: Any) -> int:
    """Return when an entry that is over ended, in milliseconds of event time."""
    return int(row.until) if row.state in STANDING else int(row.event_at)


def _elsewhere(echo: Entry) -> Sighting:
    return Sighting(
        account=echo.account,
        key=f"{ELSEWHERE}|channel={echo.channel}",
        rule=ELSEWHERE,
        severity="info",
        title=f"A blocklist refuses people on {echo.channel} whom the list here does not have",
        next_step="Nothing of theirs leaves, since Infobip refuses it. To know them here, too, set "
        "DLR_SYNC_PULL=true: then Infobip's Blocklist is read.",
        at=echo.since,
        threshold=_MANY,
        within=_NEWS,
    )
