"""Call DLR_HEARTBEAT_URL while everything works, so that its silence alarms somebody outside.

It is called by the worker that tells people, so that worker's own end silences it too. The others leave proofs of work
in the database: the endpoint that it answered a request to itself with a committed row, the workers that a task that
only beat sends has run to its end.
"""

from datetime import datetime, timedelta
from typing import Final

from config.logs import log
from store import work_marks
from store.database import Database
from workers.context import Context

_LOG = log(__name__)
_EVERY: Final = 60.0
LATE: Final = timedelta(seconds=90)
_NAME: Final = "heartbeat_at"


def missing(database: Database, now: datetime) -> list[str]:
    """Return the parts that did no work lately."""
    with database.reading() as connection:
        last = work_marks.last(connection)
    return [part for part in work_marks.PARTS if part not in last or now - last[part] > LATE]


def beat(context: Context, now: datetime) -> bool:
    """Call the URL if it is time and everything works; whether it was called and answered well."""
    urls = context.settings.heartbeat_url.values()
    if not urls or not context.database.repeat(lambda connection: work_marks.claim(connection, _NAME, now, _EVERY)):
        return False
    if idle := missing(context.database, now):
        _LOG.warning("heartbeat_held_back", idle=idle, next_step="see whether these parts run: `dlr doctor`")
        return False
    return _call(urls[0])


def _call(url: str) -> bool:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(url, timeout=(3, 10), allow_redirects=False)
        except requests.RequestException as error:
            # Its own words name the URL, which is a secret.
            _LOG.warning("heartbeat_failed", reason=type(error).__name__)
            return False
    if not answer.ok:
        _LOG.warning("heartbeat_failed", reason=f"it answered {answer.status_code}")
    return bool(answer.ok)
