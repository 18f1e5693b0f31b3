"""gunicorn's threaded worker, with a limit to how long one request may take to arrive."""

import contextlib
import socket
import threading
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

ARRIVES_WITHIN: Final = 20.0
"""Seconds. Infobip sends a callback in milliseconds."""


class DeadlineWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Stops listening to a client that sends too slowly.

    gunicorn reads a request with a thread that waits for as long as the client likes: a handful of stalled connections
    would otherwise hold every thread, and with them the endpoint.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines: dict[Any, float] = {}

    def init_process(self) -> None:
        """Start the watch in the worker's own process."""
        threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Handle one request within the limit."""
        self._deadlines[conn] = time.monotonic() + ARRIVES_WITHIN
        try:
            return super().handle(conn)
        finally:
            self._deadlines.pop(conn, None)

    def _watch(self) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            for conn, deadline in list(self._deadlines.items()):
                if now > deadline and self._deadlines.pop(conn, None) is not None:
                    # Only what comes in: the answer can still go out.
                    with contextlib.suppress(OSError):
                        conn.sock.shutdown(socket.SHUT_RD)
