"""The endpoint's proof that it works: it asks itself, through its own door, whether a callback would be kept."""

import threading
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from config.logs import log
from config.settings import Settings
from store import work_marks
from store.database import Database

_log = log(__name__)
_EVERY: Final = 20.0
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - read, not bound


def start_self_test(settings: Settings, database: Database) -> Callable[[], None]:
    """Test in the background where a heartbeat is wanted; return what ends it."""
    ended = threading.Event()
    if settings.heartbeat_url:
        url = ready_url(settings.web_bind)
        threading.Thread(target=_repeat, args=(url, database, ended), name="self-test", daemon=True).start()
    return ended.set


def ready_url(bind: str) -> str:
    """Return how the endpoint reaches itself."""
    host, _, port = bind.rpartition(":")
    return f"http://{_ANYWHERE.get(host, host)}:{port}/readyz"


def _repeat(url: str, database: Database, ended: threading.Event) -> None:
    pause = 1.0  # the first time soon, but not before the worker listens
    while not ended.wait(pause):
        pause = _EVERY
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
                answer.read()
            database.repeat(lambda connection: work_marks.note(connection, work_marks.WEB, datetime.now(UTC)))
        except Exception as error:  # the silence of this very proof is what tells
            _log.warning("the endpoint did not reach itself", reason=type(error).__name__)
