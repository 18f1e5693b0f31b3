"""The whole service as `dlr up` runs it: real processes, a real Valkey, posts over real HTTP."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Row, Table, select

from store.database import Database, open_database
from tests.support.ports import free_port

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


@dataclass
class Stack:
    """One running installation."""

    process: "subprocess.Popen[bytes]"
    state_dir: Path
    port: int
    database: Database
    proxy_port: int
    """Of /proxy and /api."""
    pids: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def token(self) -> str:
        return (self.state_dir / "url_token").read_text().strip()

    def post(self, body: bytes, channel: str = "sms", content_type: str = "application/json") -> tuple[int, Any, float]:
        """Post a callback; return status, answer, and the seconds that it took."""
        url = f"http://127.0.0.1:{self.port}/webhook/{channel}/{self.token}"
        request = urllib.request.Request(url, body, {"Content-Type": content_type})
        started = time.monotonic()
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer), time.monotonic() - started

    def post_items(self, *items: Mapping[str, Any], channel: str = "sms") -> tuple[int, Any, float]:
        return self.post(json.dumps({"results": items}).encode(), channel)

    def rows(self, table: Table) -> Sequence[Row[Any]]:
        with self.database.reading() as connection:
            return connection.execute(select(table)).all()

    def kill(self, part: str, with_signal: int = signal.SIGKILL) -> None:
        os.kill(self.pids[part], with_signal)

    def await_restart(self, part: str, old: int) -> None:
        wait_for(lambda: self.pids[part] != old, f"{part} to be started again")


def wait_for(condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Return the first true value of `condition`; fail where it does not come."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        if found := condition():
            return found
        pause.wait(0.05)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


@contextmanager
def running(folder: Path, program: str = "cli.supervisor", **settings: str) -> Iterator[Stack]:
    """Run the service with its state in `folder`; stop it as Ctrl-C would, and check that it ends cleanly.

    `program` is the module that runs it.
    """
    port, proxy_port, state = free_port(), free_port(), folder / "state"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}
    environment |= {"DLR_STATE_DIR": str(state), "DLR_WEB_BIND": f"127.0.0.1:{port}"}
    environment |= {"DLR_PROXY_BIND": f"127.0.0.1:{proxy_port}", **settings}
    database = open_database(settings.get("DLR_DATABASE_URL", f"sqlite:///{state / 'dlr.sqlite'}"))
    command = [sys.executable, "-m", program]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    stack = Stack(process, state, port, database, proxy_port)
    ready = threading.Event()
    listeners = [
        threading.Thread(target=_listen, args=(stack,), daemon=True),
        threading.Thread(target=_await_ready, args=(process, ready), daemon=True),
    ]
    for listener in listeners:
        listener.start()
    try:
        assert ready.wait(PATIENCE), "\n".join(stack.lines[-40:])
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            for listener in listeners:
                listener.join(10)
            database.close()


def _listen(stack: Stack) -> None:
    assert stack.process.stderr is not None
    with stack.process.stderr as errors:
        for raw in errors:
            line = raw.decode(errors="replace").rstrip()
            stack.lines.append(line)
            if " as process " in line:
                found = json.loads(line)
                stack.pids[found["part"]] = int(found["event"].split(" as process ")[1].split()[0])


def _await_ready(process: "subprocess.Popen[bytes]", ready: threading.Event) -> None:
    assert process.stdout is not None
    with process.stdout as output:
        for raw in output:
            if raw.startswith(b"Ready"):
                ready.set()
