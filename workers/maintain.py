"""House-keeping: fold incidents, end what has run out, delete what may be kept no longer, and say what waits."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from config.logs import log
from policy.rules import Limits
from store import (
    ended,
    guard_fold,
    guard_sweep,
    holds,
    incidents,
    notices,
    outages,
    retention,
    second_look,
    sends,
    surges,
    traffic,
    waiting,
)
from store.database import Database
from store.guard import DIMENSIONS
from store.guard_sweep import Surge
from store.incidents import Opened
from store.work_marks import BEAT
from workers import pausing
from workers.context import Context
from workers.marks import worked

_LOG = log(__name__)
# Whoever was about to post a send for longer than this has died.
_LONGEST_POST: Final = timedelta(minutes=10)
# How messages ended is needed no longer than the policy's `pause_window`, which may grow.
_KEPT_COUNTS: Final = timedelta(hours=1)
# So long after an incident showed what it excuses, reports may still be committed that were decided on before.
_LONGEST_SLICE: Final = timedelta(minutes=1)
# So long after a group was decided it is looked whether anybody was written into it since, or left over.
_DECIDED: Final = timedelta(days=1)
# Whoever decides does it to all of them, and says to how many: nobody is to get in the way of that.
_BY_ITSELF: Final = timedelta(minutes=5)
_EVENTS: Final = {"reminded": "incident_goes_on", "reopened": "incident_reopened", "graver": "incident_got_graver"}


def fold(context: Context) -> None:
    """Fold what was counted and sighted, end incidents that are quiet, and let the routes hear of what happened."""
    now = datetime.now(UTC)
    settings, routes = context.settings, context.routes.routes()
    limits = context.policy.rules().limits
    for paused in context.database.repeat(lambda connection: pausing.watch(connection, limits, now)):
        _LOG.warning("resends_paused", account=paused.account, scope=str(paused.scope), why=paused.why)
    guard(context.database, limits, now)
    for told in context.database.repeat(lambda connection: incidents.fold(connection, now, settings.alert_flap)):
        tell(told)
    excuse(context, now)
    look_again(context, now)
    context.database.repeat(lambda connection: incidents.resolve_quiet(connection, now, settings.alert_quiet))
    context.database.repeat(lambda connection: notices.spread(connection, routes, now))
    context.database.repeat(lambda connection: notices.keep_telling(connection, routes, now))
    context.database.repeat(traffic.fold)
    ended.tell(context.database, now)
    # Nobody but beat sends this task, so beat works as well.
    worked(context, BEAT)
    _say_problem(context.routes.problem)


_said: list[str] = [""]


def _say_problem(problem: str) -> None:
    """Say once why changed routes are not in force."""
    if problem != _said[0]:
        _said[0] = problem
        if problem:
            _LOG.error("alert_routes_not_reloaded", problem=problem, next_step="`dlr alerts list` tells all mistakes")


def guard(database: Database, limits: Limits, now: datetime) -> None:
    """Fold the guard's counts, and hold what was written before a surge showed: short transactions, one by one."""
    folded = database.repeat(lambda connection: guard_fold.fold(connection, limits, now))
    # The narrowest first: whom one scope holds counts for no wider one.
    for dimension in DIMENSIONS:
        with database.reading() as connection:
            found = guard_sweep.surges(connection, folded.candidates, dimension, limits, now)
        if found:
            _hold(database, found, now)
    _settle(database, now)
    database.repeat(lambda connection: guard_fold.tell(connection, folded, now))


def _hold(database: Database, found: Sequence[Surge], now: datetime) -> None:
    """Hold whom the rules suppressed in these surges before they showed."""
    with database.reading() as connection:
        for surge, numbers in guard_sweep.people(connection, found):
            if surge.hold != guard_sweep.CLOSED:
                surge.hold = database.repeat(
                    lambda connection, of=surge, ids=numbers: guard_sweep.hold(connection, of, ids, now)  # type: ignore[misc]
                )
    database.repeat(lambda connection: guard_sweep.swept(connection, found))


def _settle(database: Database, now: datetime) -> None:
    """Do what was decided on groups also to those who were written into them in that moment, or left by a break."""
    with database.reading() as connection:
        groups = holds.unsettled(connection, now - _DECIDED, now - _BY_ITSELF)
    for group in groups:
        while database.repeat(
            lambda connection, of=group: holds.settle(connection, of.id, now, of.who)  # type: ignore[misc]
        ):
            pass


def excuse(context: Context, now: datetime) -> None:
    """Drop what was suppressed on failures that an incident takes from their count which has just opened, or got worse.

    For a while after that: a slice of reports that was decided on before may be committed after.
    """
    database = context.database
    with database.reading() as connection:
        opened = outages.newly_excusing(connection, now - _LONGEST_SLICE)
    for incident in opened:
        dropped = 0
        with database.reading() as connection:
            for numbers in outages.counted(connection, incident):
                dropped += database.repeat(
                    lambda connection, one=incident, ids=numbers: outages.drop_counted(connection, one, ids, now)  # type: ignore[misc]
                )
        if dropped:
            _LOG.info("suppressions_excused", incident_id=str(incident.id), place=incident.place, dropped=dropped)


def look_again(context: Context, now: datetime) -> None:
    """Take back what was suppressed over a failure while another worker had the later delivery."""
    database = context.database
    if database.is_sqlite:
        return  # one writer at a time: each has seen what the one before wrote
    with database.reading() as connection:
        begun = after = second_look.begin(connection, now)
    seen = taken_back = 0
    while True:
        with database.reading(by_keys=True) as connection:
            found = second_look.page(connection, after)
        if found.disproved:
            taken_back += database.repeat(
                lambda connection, numbers=found.disproved: second_look.settle(connection, numbers, now),  # type: ignore[misc]
                by_keys=True,
            )
        seen, after = seen + found.seen, found.after
        if not after:
            break
    database.repeat(lambda connection: second_look.mark(connection, begun, now, seen=seen > 0))
    if taken_back:
        _LOG.info("suppressions_disproved", taken_back=taken_back)


def tidy(context: Context) -> None:
    """Keep the database in order for those who are in a hurry."""
    context.database.tidy()


def tell(opened: Opened) -> None:
    """Write an incident to the log, which is the alert route that is always there."""
    # Looked up now: a logger bound when this module was imported would know nothing of how logging was set up.
    tell_of = getattr(_LOG, opened.severity)
    tell_of(
        _EVENTS.get(opened.change, "incident_opened"),
        incident_id=str(opened.id),
        account=opened.account,
        severity=opened.severity,
        title=opened.title,
        next_step=opened.next_step,
        count=opened.count,
        since=opened.first_at.isoformat(timespec="seconds"),
    )


def purge(context: Context) -> None:
    """End what has run out, say what waits, and delete what is past its retention."""
    now = datetime.now(UTC)
    settings = context.settings
    counted = context.policy.rules().limits.pause_window + _KEPT_COUNTS
    context.database.repeat(lambda connection: surges.forget(connection, now - counted))
    context.database.repeat(lambda connection: sends.lost_intents(connection, now - _LONGEST_POST))
    # Once a week: what is only observed or proposed must not be forgotten (the fold tells of it).
    context.database.repeat(lambda connection: waiting.note_weekly(connection, now))
    limits = retention.Limits(
        bodies=settings.keep_bodies,
        reports=settings.keep_reports,
        decisions=settings.keep_decisions,
        keys=settings.keep_keys,
        events=settings.keep_events,
        audit=settings.keep_audit,
    )
    deleted = retention.purge(context.database, limits, now)
    if any(deleted.values()):
        _LOG.info("purged", **deleted)
