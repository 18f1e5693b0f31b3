"""What the demo shows: the play alone. Everything else is log, and in a file."""

import sys
from collections.abc import Iterable
from typing import Final

from cli.supervisor.screen import SELF, Screen

_PLAY: Final = "demo"


class DemoScreen(Screen):
    """Passes the play's lines to standard output as they are, and all others to a log file, faults to both."""

    def __init__(self, *, log: int, names: Iterable[str]) -> None:
        super().__init__(as_json=False, names=names, descriptor=log)

    def say(self, event: str, *, part: str = "", level: str = "info") -> None:
        """Write one event of the supervisor's own."""
        super().say(event, part=part, level=level)
        if level == "error" or event.startswith(("stopping", "hurrying")):
            print(f"{SELF}: {event}", file=sys.stderr, flush=True)

    def pass_on(self, part: str, line: bytes) -> None:
        """Write one line that a part wrote."""
        if part == _PLAY:
            print(line.decode("utf-8", "backslashreplace").rstrip("\r\n"), flush=True)
        else:
            super().pass_on(part, line)
