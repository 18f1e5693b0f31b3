"""Note now and then that a part of the work was done; seldom, so that it costs nothing."""

import threading
import time
from datetime import UTC, datetime
from typing import Final

from store import work_marks
from workers.context import Context

_EVERY: Final = 15.0
_noted: Final[dict[str, float]] = {}
_lock: Final = threading.Lock()


def worked(context: Context, part: str) -> None:
    """Note that `part` has just done its work, where anybody wants to know."""
    if not context.settings.heartbeat_url:
        return
    with _lock:
        now = time.monotonic()
        if now - _noted.get(part, -_EVERY) < _EVERY:
            return
        _noted[part] = now
    context.database.repeat(lambda connection: work_marks.note(connection, part, datetime.now(UTC)))
