"""gunicorn's threaded worker, with a limit to how long a request may take to arrive, and with our form of errors."""

import contextlib
import socket
import threading
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

from config.logs import log
from webhook.errors import Internal
from webhook.refusals import refusal_of, whole_answer

ARRIVES_WITHIN: Final = 20.0
"""Seconds. Infobip sends a callback in milliseconds."""
_LISTENS_ON: Final = 0.5
_MOST_THROWN_AWAY: Final = 1 << 20
_log = log(__name__)


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

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer what never reached the application, or failed around it."""
        refusal = refusal_of(exc)
        if refusal.status == Internal.status:
            _log.error("a request ended in an unforeseen error", exc_info=exc)
        else:
            # The error's own text quotes the request, which may hold a token or a password.
            _log.warning("a request was refused unread", status=refusal.status, reason=str(refusal))
        with contextlib.suppress(OSError):
            client.settimeout(_LISTENS_ON)
            client.sendall(whole_answer(refusal))
            client.shutdown(socket.SHUT_WR)
            _throw_away(client)

    def _watch(self) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            for conn, deadline in list(self._deadlines.items()):
                if now > deadline and self._deadlines.pop(conn, None) is not None:
                    # Only what comes in: the answer can still go out.
                    with contextlib.suppress(OSError):
                        conn.sock.shutdown(socket.SHUT_RD)


def _throw_away(client: socket.socket) -> None:
    """Read what still comes, for a moment: closing over unread bytes would take the answer away from the client."""
    deadline, room = time.monotonic() + _LISTENS_ON, _MOST_THROWN_AWAY
    while room > 0 and time.monotonic() < deadline and (found := client.recv(65536)):
        room -= len(found)
