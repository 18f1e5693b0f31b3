"""Runs services of docker-compose.yml as local processes: their own commands and environments, other addresses.

Only what a container would be given reaches a process: the service's environment and PATH. Paths inside the container
become folders of the test, host names and ports become this machine's.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cli.supervisor.valkey import find_server
from tests.deploy.compose import Composition
from tests.house.project import ROOT
from tests.support.ports import free_port

_INSIDE: Final = re.compile(
    r"/run/secrets/|/var/lib/dlr\b|/tmp/|(?<![\w/])/data\b|(?:0\.0\.0\.0|127\.0\.0\.1):(?:8080|8090)"
)
PATIENCE: Final = 60.0


@dataclass
class Host:
    """One machine with the services of a composition on it."""

    composition: Composition
    folder: Path
    database_url: str
    redis_port: int = field(default_factory=free_port)
    web_ports: list[int] = field(default_factory=list)
    proxy_port: int = field(default_factory=free_port)
    running: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("state", "tmp", "data"):
            (self.folder / name).mkdir()
        subprocess.run(("sh", ROOT / "scripts" / "compose_secrets", self.folder / "secrets"), check=True)
        self._readdress("database_url", r"@db:5432/dlr", self.database_url.partition("@")[2])
        self._readdress("redis_url", r"redis:6379", f"127.0.0.1:{self.redis_port}")

    def _readdress(self, secret: str, pattern: str, address: str) -> None:
        path = self.folder / "secrets" / secret
        text = path.read_text()
        prefix = "@" if pattern.startswith("@") else ""
        changed = re.sub(pattern, prefix + address, text)
        assert changed != text, f"{secret} does not name the service's host: {pattern}"
        path.chmod(0o600)
        path.write_text(changed)

    def secret(self, name: str) -> str:
        """Return a secret."""
        return (self.folder / "secrets" / name).read_text().strip()

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a service, once more each time; the endpoint gets a port of its own."""
        if name == "web":
            self.web_ports.append(free_port())
        command = [self._local(part) for part in self.composition.services[name]["command"]]
        if name == "redis":
            # The container's own network keeps others away from it; here the loopback address does.
            command += ["--port", str(self.redis_port), "--bind", "127.0.0.1"]
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*_program(command[0]), *command[1:]],
                cwd=self.folder / "state",
                env=self._environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append((name, process))
        return process

    def run(self, name: str) -> None:
        """Run a service that ends by itself, and expect that it does well."""
        process = self.start(name)
        assert process.wait(PATIENCE) == 0, self.log(name)
        self.running.remove((name, process))

    def log(self, name: str) -> str:
        """Return what a service wrote."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def is_healthy(self, name: str) -> bool:
        """Run a service's own health check."""
        kind, *words = self.composition.services[name]["healthcheck"]["test"]
        words = [self._local(word) for word in words]
        if kind == "CMD-SHELL":
            words = ["sh", "-c", *words]
        done = subprocess.run(
            [*_program(words[0]), *words[1:]],
            cwd=self.folder / "state",
            env=self._environment(name),
            check=False,
            capture_output=True,
        )
        return done.returncode == 0

    def wait_healthy(self, name: str) -> None:
        """Wait until a service's own health check passes."""
        wait(lambda: self.is_healthy(name), lambda: f"{name} is not healthy:\n{self.log(name)[-3000:]}")

    def stop(self) -> dict[str, tuple[int, float]]:
        """End everything as compose does, what depends on others first; return exit codes and how long each took."""
        ended = {}
        while self.running:
            name, process = self.running.pop()
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            finally:
                kill_group(process)
            ended[name] = (process.returncode, time.monotonic() - begun)
        return ended

    def _environment(self, name: str) -> dict[str, str]:
        given: Mapping[str, Any] = self.composition.services[name].get("environment", {})
        environment = {variable: self._local(str(value)) for variable, value in given.items()}
        # The image has the packages installed; here they are found beside the tests.
        path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"]))
        return {"PATH": path, "PYTHONPATH": str(ROOT), **environment}

    def _local(self, text: str) -> str:
        return _INSIDE.sub(self._outside, text)

    def _outside(self, found: re.Match[str]) -> str:
        folders = {"/run/secrets/": "secrets/", "/var/lib/dlr": "state", "/tmp/": "tmp/", "/data": "data"}
        if found[0] in folders:
            return f"{self.folder}/{folders[found[0]]}"
        port = self.proxy_port if found[0].endswith(":8090") else self.web_ports[-1]
        return f"127.0.0.1:{port}"


def _program(name: str) -> list[str]:
    """Return the program of that name: the tests' own environment's, or the bundled broker."""
    if name == "redis-server":
        return [str(find_server())]
    if name == "python":
        return [sys.executable]
    if name == "dlr":  # the image installs the package, and the tests need not
        return [sys.executable, "-m", "cli.main"]
    return [name]


def post(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    """Post JSON over a plain socket; return the status and the answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while content := connection.recv(65536):
            answer += content
    return int(answer.split(b" ", 2)[1]), answer.partition(b"\r\n\r\n")[2]


def wait(condition: Callable[[], bool], complaint: Callable[[], str], within: float = PATIENCE) -> None:
    """Wait until `condition` holds."""
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, complaint()
        time.sleep(0.1)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a process's group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
