"""What no report tells: work that piles up, reports that do not come, and rates that are out of their usual band.

Each look reads folded counts or a bounded part of an index, never a table from end to end.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from math import sqrt
from typing import Final

from sqlalchemy import Connection, func, select

from config.accounts import MAIN
from reports.states import State
from store import incidents, traffic
from store.ids import first_id_of
from store.inbox import backlog
from store.incidents import Sighting
from store.moments import to_ms
from store.schema import messages, quarantine
from store.traffic import HOUR, Line
from store.work_marks import claim
from workers.context import Context

# Conditions, unlike reports, are looked at every minute: when they are not seen again they are over.
_QUIET: Final = timedelta(minutes=10)
_OLD: Final = timedelta(minutes=2)
_VERY_OLD: Final = timedelta(minutes=15)
_QUARANTINED: Final = 10
_LEARNT: Final = timedelta(days=7)
_ENOUGH: Final = 1_000
_VOLUME: Final = 50
_BEYOND: Final = 0.05
_DAYS: Final = 7
_USUAL: Final = 20
_UNUSUALLY_MANY: Final = 20
_VALIDITY: Final = timedelta(hours=48)

Look = Callable[[Connection, datetime], Iterator[Sighting]]


def inbox_waits(connection: Connection, now: datetime) -> Iterator[Sighting]:
    """Callbacks that wait for a worker."""
    waiting, age = backlog(connection, now)
    if age > _OLD:
        severity = "critical" if age > _VERY_OLD else "warning"
        minutes = int(age.total_seconds() // 60)
        title = f"{waiting} callbacks wait to be decided on, the oldest for {minutes} min"
        next_step = "See whether a worker runs and keeps up: `dlr doctor`, and DLR_PROCESSORS. None of them is lost."
        yield _condition(MAIN, "inbox-waits", severity, title, next_step, now)


def quarantine_grows(connection: Connection, now: datetime) -> Iterator[Sighting]:
    """Items that cannot be understood, in numbers."""
    fresh = quarantine.c.id >= first_id_of(to_ms(now - HOUR))
    query = select(quarantine.c.account, func.count()).where(quarantine.c.state == "open", fresh)
    for account, number in connection.execute(query.group_by(quarantine.c.account)):
        if number >= _QUARANTINED:
            title = f"{number} items could not be understood within an hour"
            next_step = "`dlr quarantine list` says why; `dlr quarantine replay` takes them up again after a fix."
            yield _condition(account, "quarantine-grows", "warning", title, next_step, now)


def rates_leave_their_band(connection: Connection, now: datetime) -> Iterator[Sighting]:
    """A channel and network on which far more fails than did before."""
    for line in traffic.lines(connection, now - HOUR):
        if is_unusual(line, now):
            share, usual = line.failed / line.reports, line.past_failed / line.past_reports
            where = f"{line.channel}, network {line.network}" if line.network else line.channel
            title = f"{share:.0%} of the reports on {where} are failures, usually {usual:.1%}"
            facts = {"channel": line.channel, **({"network": line.network} if line.network else {})}
            next_step = (
                f"`dlr reports --channel {line.channel}` shows what fails; if one code leads, ask Infobip about it: "
                "the incident has a text for them where a rule alerts on that code."
            )
            seen = _condition(line.account, "rate-unusual", "warning", title, next_step, now, facts)
            # The hours that were looked at: what failed in them, before the rate told, is part of it.
            yield replace(seen, since=traffic.hour_of(now - HOUR))


def is_unusual(line: Line, now: datetime) -> bool:
    """Whether a share is out of its band, and enough is known to say so."""
    learnt = now - line.since >= _LEARNT or line.past_reports >= _ENOUGH
    if not learnt or not line.past_reports or line.reports < _VOLUME:
        return False
    usual, share = line.past_failed / line.past_reports, line.failed / line.reports
    # Three standard deviations of what so many reports would show by chance, a fixed margin, and twice the usual.
    chance = 3 * sqrt(max(usual * (1 - usual), 1 / line.past_reports) / line.reports)
    return share > max(usual + chance + _BEYOND, 2 * usual)


def reports_stay_away(connection: Connection, now: datetime) -> Iterator[Sighting]:
    """A channel that usually has reports at this hour, and had none for an hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if now - hour < timedelta(minutes=5):
        return  # the hour that has just ended is still being folded
    came = traffic.in_hours(connection, hour - HOUR, hour + HOUR)
    for (account, channel), days in traffic.usual(connection, now - HOUR, _DAYS).items():
        if sum(number >= _USUAL for number in days) >= _DAYS - 2 and not came.get((account, channel)):
            title = f"No reports come in on {channel}, which usually has them at this hour"
            next_step = (
                "See whether messages were sent, whether Infobip can reach the endpoint (`dlr doctor --public`), and "
                "whether the notifyUrl or the subscription still names it."
            )
            yield _condition(account, "reports-stay-away", "critical", title, next_step, now, {"channel": channel})


def outcomes_stay_open(connection: Connection, now: datetime) -> Iterator[Sighting]:
    """Messages whose validity is over and of which no final report came: those of one hour, two days ago."""
    end = now - _VALIDITY
    waits = messages.c.state.in_((State.PENDING.value, State.HANDED_OVER.value))
    aged = messages.c.changed_at.between(end - HOUR, end)
    query = select(messages.c.account, messages.c.channel, func.count()).where(waits, aged)
    for account, channel, number in connection.execute(query.group_by(messages.c.account, messages.c.channel)):
        if number >= _UNUSUALLY_MANY:
            title = f"{number} messages on {channel} are past their validity without a final report"
            next_step = (
                "Ask Infobip for their fate, or read its logs. Some networks never report: silence this rule then."
            )
            yield _condition(account, "no-final-report", "warning", title, next_step, now, {"channel": channel})


LOOKS: Final[tuple[Look, ...]] = (
    inbox_waits,
    quarantine_grows,
    rates_leave_their_band,
    reports_stay_away,
    outcomes_stay_open,
)


def _condition(
    account: str,
    rule: str,
    severity: str,
    title: str,
    next_step: str,
    now: datetime,
    facts: dict[str, str] | None = None,
) -> Sighting:
    scope = facts or {}
    key = "|".join((rule, *(f"{name}={value}" for name, value in scope.items())))
    return Sighting(
        account=account,
        key=key,
        rule=rule,
        severity=severity,
        title=title,
        next_step=next_step,
        at=now,
        facts=scope,
        quiet=_QUIET,
    )


def watch(context: Context, now: datetime) -> int:
    """Look at everything once a minute; return how much was seen that a person should know."""
    if not context.database.repeat(lambda connection: claim(connection, "watched_at", now, 55)):
        return 0
    with context.database.reading() as connection:
        seen = [sighting for look in LOOKS for sighting in look(connection, now)]
    if seen:
        context.database.repeat(lambda connection: incidents.note(connection, seen))
    return len(seen)
