"""What a sync with Infobip's lists would do, counted before anything is written."""

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from policy.mirror import Wishes, obstacle, places_of
from store.moments import EPOCH, to_ms
from store.schema import suppressions
from store.suppressions import ACTIVE
from store.sync_align import standing_of


def forecast(connection: Connection, account: str, wishes: Wishes, now: datetime) -> dict[str, Counter[str]]:
    """Return what would stand on Infobip's lists (`listed`, by list) and what could not (`not_listed`, by reason).

    It only counts, in one query over the entries in force; nothing is written and no address is opened.
    """
    in_force = (suppressions.c.account == account) & (suppressions.c.state == ACTIVE)
    in_force &= suppressions.c.until.is_(None) | (suppressions.c.until > now)
    evidence = case((suppressions.c.channel == "push", suppressions.c.evidence), else_="{}").label("evidence")
    columns = (
        suppressions.c.channel,
        suppressions.c.sender,
        suppressions.c.campaign,
        suppressions.c.purpose,
        suppressions.c.cause,
        suppressions.c.origin,
        case((suppressions.c.until.is_(None), None), else_=to_ms(EPOCH)).label("until"),
        evidence,
    )
    entries = select(*columns).where(in_force).subquery()
    query = select(*entries.c, func.count().label("number")).group_by(*entries.c)
    counted: dict[str, Counter[str]] = {"listed": Counter(), "not_listed": Counter()}
    for row in connection.execute(query):
        standing = standing_of(row)
        for place in places_of(standing, wishes):
            counted["listed"][place.list] += row.number
        if why := obstacle(standing, wishes):
            counted["not_listed"][why] += row.number
    return counted
