"""How far the sync of each account is, and who is at it: one worker at a time, since one request a second is allowed.

A worker that died loses its hold within seconds, and the next one goes on from what is written here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select, update

from store.moments import EPOCH, from_ms, to_ms
from store.schema import sync_runs
from store.writes import insert_new

LEASE: Final = timedelta(seconds=5)
"""Renewed three times as often by whoever is alive. Two at once would do no harm but to go too fast."""
NO_SCAN: Final = -1
WALKED: Final = -1
_LONGEST_WAIT: Final = timedelta(minutes=5)
_FIRST_WAIT: Final = timedelta(seconds=2)


WHOLE: Final = "account"
"""Stands for a list where nothing at all can be done for an account."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a list from going on, what to do about it, and when it is tried again by itself."""

    text: str
    next_step: str
    until: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Run:
    """One account's state, as its table says."""

    account: str
    owner: str
    lease_until: datetime
    asked: dict[str, int]
    signature: str
    walk_after: int
    trail_after: int
    walked_at: datetime | None
    scan: int
    page: int
    scan_started_at: datetime | None
    scan_since: datetime | None
    pulled_at: datetime | None
    pulled: int
    doubts_allowed: int
    most: int
    troubles: dict[str, Trouble]

    def rests(self, of_list: str, now: datetime) -> bool:
        """Whether a list has to wait."""
        found = self.troubles.get(of_list)
        return found is not None and found.until > now


def read(connection: Connection, account: str) -> Run | None:
    """Return the state of an account; nothing where no sync ever ran."""
    row = connection.execute(select(sync_runs).where(sync_runs.c.account == account)).mappings().first()
    return None if row is None else _run(row)


def every(connection: Connection) -> dict[str, Run]:
    """Return the states of all accounts."""
    rows = connection.execute(select(sync_runs).order_by(sync_runs.c.account)).mappings()
    return {row["account"]: _run(row) for row in rows}


def _run(row: Any) -> Run:
    values = {name: row[name] for name in Run.__dataclass_fields__}
    return Run(**{**values, "asked": json.loads(row["asked"]), "troubles": _read_troubles(row["troubles"])})


def _read_troubles(text: str) -> dict[str, Trouble]:
    found = json.loads(text)
    return {
        name: Trouble(said, step, from_ms(until), failures) for name, (said, step, until, failures) in found.items()
    }


def _written(troubles: Mapping[str, Trouble]) -> str:
    return json.dumps(
        {name: (one.text, one.next_step, to_ms(one.until), one.failures) for name, one in sorted(troubles.items())}
    )


def take(connection: Connection, account: str, owner: str, now: datetime) -> Run | None:
    """Take hold of an account's sync, or nothing where another worker has it."""
    ensure(connection, account, now)
    mine = update(sync_runs).where(sync_runs.c.account == account, sync_runs.c.lease_until <= now)
    if connection.execute(mine.values(owner=owner, lease_until=now + LEASE)).rowcount != 1:
        return None
    return read(connection, account)


def ensure(connection: Connection, account: str, now: datetime) -> None:
    """Let there be a row for the account."""
    fresh = {
        "account": account,
        "owner": "",
        "lease_until": EPOCH,
        "asked": "{}",
        "signature": "",
        "walk_after": 0,
        "trail_after": 0,
        "walked_at": None,
        "scan": 0,
        "page": NO_SCAN,
        "scan_started_at": None,
        "scan_since": None,
        "pulled_at": None,
        "pulled": 0,
        "doubts_allowed": 0,
        "most": 0,
        "troubles": "{}",
        "changed_at": now,
    }
    insert_new(connection, sync_runs, [fresh])


def renew(connection: Connection, account: str, owner: str, now: datetime) -> bool:
    """Keep hold; whether it was still ours."""
    mine = update(sync_runs).where(sync_runs.c.account == account, sync_runs.c.owner == owner)
    return connection.execute(mine.values(lease_until=now + LEASE)).rowcount == 1


def release(connection: Connection, account: str, owner: str) -> None:
    """Let go."""
    mine = update(sync_runs).where(sync_runs.c.account == account, sync_runs.c.owner == owner)
    connection.execute(mine.values(owner="", lease_until=EPOCH))


def note(connection: Connection, account: str, now: datetime, **values: Any) -> None:
    """Write down how far it is."""
    mine = update(sync_runs).where(sync_runs.c.account == account)
    connection.execute(mine.values(changed_at=now, **values))


def note_asked(connection: Connection, run: Run, method: str, now: datetime) -> None:
    """Note that the Blocklist is about to be called: whoever comes next waits its second, too."""
    run.asked[method] = to_ms(now)
    note(connection, run.account, now, asked=json.dumps(run.asked))


def rest(
    connection: Connection,
    account: str,
    of_list: str,
    now: datetime,
    text: str,
    step: str,
    wait: timedelta | None = None,
) -> None:
    """Note what keeps a list from going on, and when it is tried again; the other lists go on.

    Without `wait` the pauses grow while it lasts.
    """
    ensure(connection, account, now)
    run = read(connection, account)
    assert run is not None
    failures = run.troubles[of_list].failures + 1 if of_list in run.troubles else 1
    pause = _FIRST_WAIT * 2 ** min(failures - 1, 10) if wait is None else wait
    found = Trouble(text[:500], step[:500], now + min(pause, _LONGEST_WAIT), failures)
    note(connection, account, now, troubles=_written({**run.troubles, of_list: found}))


def works(connection: Connection, account: str, of_list: str, now: datetime) -> None:
    """Note that a list goes on again."""
    run = read(connection, account)
    if run is not None and of_list in run.troubles:
        left = {name: one for name, one in run.troubles.items() if name != of_list}
        note(connection, account, now, troubles=_written(left))


def at_once(connection: Connection, account: str, now: datetime, *, allow_doubts: bool = False) -> None:
    """Let an account go on at once, and its list be read anew; `allow_doubts`: very many may be gone there."""
    ensure(connection, account, now)
    values: dict[str, Any] = {"troubles": "{}", "pulled_at": None}
    if allow_doubts:
        values["doubts_allowed"] = 1
    note(connection, account, now, **values)
