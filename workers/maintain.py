"""House-keeping: fold incidents, end what has run out, and delete what may be kept no longer."""

from datetime import UTC, datetime, timedelta
from typing import Final

from config.logs import log
from store import incidents, notices, retention, sends, traffic
from store.incidents import Opened
from store.work_marks import BEAT
from workers.context import Context
from workers.marks import worked

_LOG = log(__name__)
# Whoever was about to post a send for longer than this has died.
_LONGEST_POST: Final = timedelta(minutes=10)
_EVENTS: Final = {"reminded": "incident_goes_on", "reopened": "incident_reopened", "graver": "incident_got_graver"}


def fold(context: Context) -> None:
    """Fold sightings into incidents, end those that are quiet, and let the routes hear of what happened."""
    now = datetime.now(UTC)
    settings, routes = context.settings, context.routes.routes()
    for told in context.database.repeat(lambda connection: incidents.fold(connection, now, settings.alert_flap)):
        tell(told)
    context.database.repeat(lambda connection: incidents.resolve_quiet(connection, now, settings.alert_quiet))
    context.database.repeat(lambda connection: notices.spread(connection, routes, now))
    context.database.repeat(lambda connection: notices.keep_telling(connection, routes, now))
    context.database.repeat(traffic.fold)
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
    """End what has run out, and delete what is past its retention."""
    now = datetime.now(UTC)
    settings = context.settings
    context.database.repeat(lambda connection: sends.lost_intents(connection, now - _LONGEST_POST))
    limits = retention.Limits(
        bodies=settings.keep_bodies,
        reports=settings.keep_reports,
        decisions=settings.keep_decisions,
        keys=settings.keep_keys,
    )
    deleted = retention.purge(context.database, limits, now)
    if any(deleted.values()):
        _LOG.info("purged", **deleted)
