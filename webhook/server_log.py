"""gunicorn's own messages, in the one log of this process and without tokens."""

import logging
import re
from typing import Any, Final

from gunicorn.glogging import Logger

_PATHS: Final = re.compile(r"(/webhook|/proxy|token=)[^\s'\"]*", re.IGNORECASE)


class HidePaths(logging.Filter):
    """Cuts what may be a token out of the messages about requests that gunicorn itself refuses."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        record.msg, record.args = hide_paths(record.getMessage()), ()
        return True


def hide_paths(text: str) -> str:
    """Return `text` without what follows /webhook, /proxy or token=."""
    return _PATHS.sub(r"\1…", text)


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Sends gunicorn's messages to the root logger; there is no access log besides our own line."""

    def setup(self, cfg: Any) -> None:
        """Follow `cfg` without handlers of gunicorn's own."""
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.filters[:] = [HidePaths()]
        self.error_log.propagate = True

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Write nothing: its line would hold the path."""
