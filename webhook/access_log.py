"""One line for each request. It has no path, query or header: those hold tokens."""

import time
from typing import Final

from flask import Flask, Response, g, request

from config.logs import log

_log = log(__name__)
_QUIET: Final = frozenset({"healthz", "readyz"})


def register_access_log(app: Flask) -> None:
    """Log each request of `app` with its route's name, status, duration and what the view put into `g.line`."""
    app.before_request(_start)
    app.after_request(_write)


def _start() -> None:
    g.started = time.perf_counter()


def _write(response: Response) -> Response:
    took = time.perf_counter() - g.started if "started" in g else 0.0
    line = g.get("line") or {}
    if "error" in g:
        line = {**line, "error": g.error}
    write = _log.debug if request.endpoint in _QUIET and response.status_code < 400 else _log.info
    write(
        "request",
        method=request.method if len(request.method) < 16 else "other",
        route=request.endpoint or "none",
        status=response.status_code,
        ms=round(took * 1000, 2),
        **line,
    )
    return response
