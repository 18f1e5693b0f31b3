"""What stands at the top of an evidence pack: who made it where, and what can no longer be in it."""

import json
import platform
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from cli.stored import Stored
from config.settings import Settings
from store import views
from store.revision import revision_of
from store.views import Found

# What -> the setting that says how long it is kept.
_KEPT: Final = {
    "reports": "keep_reports",
    "sends": "keep_reports",
    "messages": "keep_decisions",
    "decisions": "keep_decisions",
    "resends": "keep_decisions",
    "raw callbacks": "keep_bodies",
    "records of Infobip's lists that are gone there": "keep_decisions",
    "what led to a lift, and requests for it": "keep_audit",
}
_ALWAYS: Final = ("suppressions", "their trails, but for what led to a lift")
NOTES: Final = (
    "A decision whose report is deleted can be told of a person only where a resend or a suppression came of it.",
    "Protections that have ended are deleted.",
    "Contents of messages are never shown.",
    "A person who was forgotten has only what keeps them from being written to, and what may stand on Infobip's lists.",
)


def installation(at: Stored, connection: Connection) -> Found:
    """Return where a pack was made: host, release, tables' revision, database, and the ids of the keys."""
    return {
        "host": platform.node(),
        "release": version("dlr"),
        "revision": revision_of(connection),
        "database": make_url(at.settings.database).get_backend_name(),
        "state_dir": str(at.settings.state_dir.resolve()),
        "keys": json.loads(views.mark(connection, "key_ids") or "{}"),
    }


def retention(settings: Settings, now: datetime) -> list[Found]:
    """Return for each kind of thing how many `days` it is kept, and the moment `before` which it is deleted."""
    found: list[Found] = []
    for what, setting in _KEPT.items():
        kept: timedelta = getattr(settings, setting)
        found.append({"what": what, "days": kept / timedelta(days=1), "before": now - kept})
    return [*found, *({"what": what, "days": None, "before": None} for what in _ALWAYS)]
