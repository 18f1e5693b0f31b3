"""`python -m cli.demo.receiver PORT`: what hears of incidents in the demo, in place of Slack or a pager.

It takes notifications by POST for as long as the demo runs, and tells their titles to whoever asks by GET.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_LONGEST: Final = 64 * 1024


def listening(port: int) -> ThreadingHTTPServer:
    """Return a server on a port of the loopback address. Raises `OSError`."""
    titles: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), _LONGEST)
            titles.append(_title(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(titles).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the play tells what arrived."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _title(body: bytes) -> str:
    try:
        return str(json.loads(body)["title"])
    except (ValueError, KeyError, TypeError):
        return "something without a title"


if __name__ == "__main__":
    listening(int(sys.argv[1])).serve_forever()
