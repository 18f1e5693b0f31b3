"""What waits for a person: nothing leaves the house by surprise, and nothing is forgotten there either."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from store import by_hand, incidents
from store.incidents import Sighting
from store.moments import from_ms, to_ms
from store.schema import meta, retries, suppressions

RULE: Final = "waits-for-a-person"
WEEK: Final = timedelta(days=7)
_TOLD: Final = "waits_told"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of each wait in one account."""

    observed: int = 0
    """Resends that were only recorded."""
    proposed: int = 0
    """Resends that wait for a person's word."""
    put_aside: int = 0
    """Resends that wait for content, a credential, or a person."""
    in_doubt: int = 0
    """Resends of which only a person can find out whether they left."""
    suppressions: int = 0
    """Suppressions that are proposed and block nobody yet."""


_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "observed": ("resend only observed", "resends only observed"),
    "proposed": ("resend proposed", "resends proposed"),
    "put_aside": ("resend put aside", "resends put aside"),
    "in_doubt": ("resend in doubt", "resends in doubt"),
    "suppressions": ("suppression proposed", "suppressions proposed"),
}
_STATES: Final = {"observed": "observed", "proposed": "proposed", "waiting": "put_aside"}


def everything(connection: Connection) -> dict[str, Waiting]:
    """Return what waits, by account; accounts for which nothing does are left out."""
    found: dict[str, dict[str, int]] = {}
    for account, state, count in connection.execute(_counted(retries, retries.c.state.in_(_STATES))):
        found.setdefault(account, {})[_STATES[state]] = count
    doubted = (retries.c.state == "unknown") & retries.c.due_at.is_(None)
    for account, _, count in connection.execute(_counted(retries, doubted)):
        found.setdefault(account, {})["in_doubt"] = count
    for account, _, count in connection.execute(_counted(suppressions, suppressions.c.state == "proposed")):
        found.setdefault(account, {})["suppressions"] = count
    return {account: Waiting(**found[account]) for account in sorted(found)}


def _counted(table: Any, condition: Any) -> Any:
    query = select(table.c.account, table.c.state, func.count()).where(condition)
    return query.group_by(table.c.account, table.c.state)


def together(found: Iterable[Waiting]) -> Waiting:
    """Return the numbers of all accounts added up."""
    rows = list(found)
    return Waiting(**{one.name: sum(getattr(row, one.name) for row in rows) for one in fields(Waiting)})


def in_words(found: Waiting) -> str:
    """Return what waits as one line; what there is none of is left out."""
    numbers = ((getattr(found, name), words) for name, words in _WORDS.items())
    listed = [f"{count} {words[count != 1]}" for count, words in numbers if count]
    return f"{', '.join(listed)}: waiting for somebody"


def next_step(found: Waiting) -> str:
    """Return what to do about it."""
    steps = []
    if found.observed or found.proposed:
        steps.append("`dlr retries list` shows resends, `dlr retries run` lets some of them go, `cancel` ends them")
    elif found.put_aside or found.in_doubt:
        steps.append("`dlr retries list` says what each resend waits for")
    if found.suppressions or found.proposed:
        steps.append("`dlr proposals list` shows what is proposed, `accept` and `drop` answer it")
    if found.observed:
        steps.append('retry = "act" under [modes] of your policy (DLR_POLICY) lets resends leave by themselves')
    return f"{'; '.join(steps)}."


def sightings(connection: Connection, now: datetime) -> list[Sighting]:
    """Return a sighting for each account in which something waits, and note that it was told; nothing for an account
    that was told of within a week. The caller writes both in one transaction (`incidents.note`)."""
    told = {account: at for account, at in _told(connection).items() if now - at < WEEK}
    news = {account: found for account, found in everything(connection).items() if account not in told}
    if news:
        known = told | dict.fromkeys(news, now)
        by_hand.note(connection, _TOLD, json.dumps({account: to_ms(at) for account, at in known.items()}))
    return [_sighting(account, found, now) for account, found in news.items()]


def _sighting(account: str, found: Waiting, now: datetime) -> Sighting:
    return Sighting(
        account=account,
        key=RULE,
        rule=RULE,
        severity="info",
        title=in_words(found),
        next_step=next_step(found),
        at=now,
        repeat=WEEK - timedelta(hours=1),
    )


def note_weekly(connection: Connection, now: datetime) -> int:
    """Write the weekly sightings of what waits; return for how many accounts."""
    found = sightings(connection, now)
    incidents.note(connection, found)
    return len(found)


def _told(connection: Connection) -> dict[str, datetime]:
    kept = connection.scalar(select(meta.c.value).where(meta.c.name == _TOLD))
    return {account: from_ms(at) for account, at in json.loads(kept or "{}").items()}
