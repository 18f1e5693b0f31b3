"""What `dlr up` writes to standard error: its own events and its parts' lines, in one form."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

SELF: Final = "dlr up"
_LONGEST: Final = 64 * 1024


class Screen:
    """For people each line begins with the part's name; for programs each line is a JSON object."""

    def __init__(self, *, as_json: bool, names: Iterable[str] = (), descriptor: int = 2) -> None:
        self.as_json = as_json
        self._descriptor = descriptor
        self._width = max(map(len, (SELF, *names)))

    def say(self, event: str, *, part: str = "", level: str = "info") -> None:
        """Write one event of the supervisor's own."""
        if self.as_json:
            self._write(_as_json(event, part, level))
        else:
            self._write(self._prefixed(SELF, f"{part}: {event}" if part else event))

    def pass_on(self, part: str, line: bytes) -> None:
        """Write one line that a part wrote. Among JSON lines, one that is none is wrapped into one."""
        text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        if not self.as_json:
            self._write(self._prefixed(part, text))
        elif text.startswith("{") and text.endswith("}"):
            self._write(text)
        elif text.strip():
            self._write(_as_json(text, part, "info"))

    def _prefixed(self, part: str, text: str) -> str:
        return f"{part:<{self._width}} | {text}"

    def _write(self, text: str) -> None:
        content = memoryview(f"{text}\n".encode("utf-8", "backslashreplace"))
        # Nobody reads any more, or the disk under a log file is full: that must not end the service.
        with suppress(OSError):
            while content:
                content = content[os.write(self._descriptor, content) :]


def _as_json(event: str, part: str, level: str) -> str:
    names = {"part": part} if part else {}
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    values = {"event": event, **names, "level": level, "logger": "cli.supervisor", "timestamp": moment}
    return json.dumps(values, ensure_ascii=False)


class Lines:
    """Cuts what arrives from a pipe into lines, keeping the last ones for whoever asks what went wrong."""

    def __init__(self, part: str, screen: Screen, unsaid: tuple[str, ...] = ()) -> None:
        self._part = part
        self._screen = screen
        self._unsaid = tuple(text.encode() for text in unsaid)
        self._rest = b""
        self.last = ""

    def feed(self, content: bytes) -> None:
        """Take what was read; pass on all lines that are complete."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._emit(line)
        # A part that never ends its line must not fill the memory.
        if len(self._rest) > _LONGEST:
            self.finish()

    def finish(self) -> None:
        """Pass on what is left without a line's end."""
        if self._rest:
            self._emit(self._rest)
        self._rest = b""

    def _emit(self, line: bytes) -> None:
        if any(text in line for text in self._unsaid):
            return
        if line.strip():
            self.last = line.decode("utf-8", "backslashreplace").strip()
        self._screen.pass_on(self._part, line)
