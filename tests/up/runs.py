"""Real supervisors for the tests, and what they say and leave behind."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 20.0


class Run:
    """One supervisor's process and the lines that it has written so far."""

    def __init__(self, argv: tuple[str, ...], environ: Mapping[str, str] | None = None) -> None:
        env = {**os.environ, **(environ or {})}
        self.process = subprocess.Popen(
            argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid
        self.lines: list[str] = []
        self.greeting = ""
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_greeting)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def _read_greeting(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.greeting += line

    @property
    def events(self) -> list[dict[str, Any]]:
        """All lines, each of which must be JSON."""
        return [json.loads(line) for line in list(self.lines)]

    def said(self, part: str = "", text: str = "") -> list[str]:
        """Return the events of a part that contain a text."""
        return [one["event"] for one in self.events if one.get("part", "") == part and text in one["event"]]

    def wait_for(self, part: str = "", text: str = "", times: int = 1) -> list[str]:
        """Wait until a part's event was seen so often; return those events."""
        until(lambda: len(self.said(part, text)) >= times, lambda: f"{text!r} of {part!r} in {self.lines}")
        return self.said(part, text)

    def pid_of(self, part: str) -> int:
        """Return the process of a part that said its own: `pid 123`."""
        return int(self.wait_for(part, "pid ")[-1].split()[1])

    def end(self, patience: float = PATIENCE) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(patience)
        for reader in self._readers:
            reader.join(patience)
        return code

    def close(self) -> None:
        """End it whatever the test left."""
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def running(*argv: str, environ: Mapping[str, str] | None = None) -> Iterator[Run]:
    """Run a program of ours under this interpreter."""
    run = Run((sys.executable, *argv), environ)
    try:
        yield run
    finally:
        run.close()


class Bench:
    """Makes small programs and runs a supervisor over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def program(self, name: str, code: str) -> str:
        """Write a program that says its pid first; return its path."""
        path = self.folder / f"{name}.py"
        path.write_text(f"import os, signal, subprocess, sys, time\nprint('pid', os.getpid(), flush=True)\n{code}\n")
        return str(path)

    def part(self, name: str, code: str = "time.sleep(600)", **rest: Any) -> dict[str, Any]:
        """Describe a part that runs `code`."""
        return {"name": name, "code": self.program(name, code), **rest}

    def supervise(self, *parts: dict[str, Any], **more: Any) -> Any:
        """Run a supervisor over the parts."""
        return running("-m", "tests.up.small", json.dumps({"parts": parts, **more}))


def until(condition: Callable[[], object], what: Callable[[], str] = lambda: "it", patience: float = PATIENCE) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what()}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descendants(pid: int) -> list[int]:
    """Return all processes below one."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found: list[int] = []
    fresh = [pid]
    while fresh:
        fresh = [child for child, parent in parents.items() if parent in fresh]
        found += fresh
    return found


def share_of_memory(pid: int) -> float:
    """Return the proportional set size of a process in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no Pss of {pid}")
