"""What both sides need besides themselves: a broker and a database, each run's own."""

import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, text

from bench.processes import NotReady, Processes
from cli.supervisor import valkey

_USER: Final = "postgres"
_FOLDERS: Final = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_broker(started: Processes, folder: Path) -> str:
    """Start the Valkey that `dlr up` would start; return its URL."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepared = valkey.prepare(folder)
    argv = (str(valkey.find_server()), str(prepared.config))
    started.start("valkey", argv, os.environ, is_ready=prepared.is_ready)
    return prepared.url


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A PostgreSQL server of our own, with its defaults: every commit is on disk before it is answered."""

    port: int

    def new_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        return self._url(name)

    def reuse_log(self) -> None:
        """Let the server reuse the files of its log, as one does that has run for five minutes.

        A fresh one makes a new file for every 16 MiB, for which whoever commits meanwhile waits (bench/README.md).
        """
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CHECKPOINT"))
        engine.dispose()

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{name}"


def start_postgresql(started: Processes, folder: Path) -> PostgreSQL:
    """Make a cluster in `folder` and start it, as user postgres where we are root. Raises `NotReady`."""
    programs = _programs()
    user = _USER if os.geteuid() == 0 else None
    folder.mkdir(mode=0o700)
    if user is not None:
        # The server refuses to be root; whoever it is has to reach its folder.
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        folder.parent.chmod(0o711)
    data = str(folder / "data")
    init = (str(programs / "initdb"), "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
    started.run("initdb", init, os.environ, user=user)
    port = free_port()
    options = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-p", str(port))
    started.start(
        "postgresql",
        (str(programs / "postgres"), "-D", data, *options),
        os.environ,
        user=user,
        is_ready=lambda: _accepts(programs, port),
    )
    return PostgreSQL(port)


def _programs() -> Path:
    # Debian keeps them out of PATH; what is on PATH may be a link to one of several.
    found = [program.parent for folder in _FOLDERS for program in Path(folder).glob("*/bin/initdb")]
    if found:
        return max(found)
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    raise NotReady("PostgreSQL's server programs (initdb, postgres) were not found; on Debian: apt install postgresql")


def _accepts(programs: Path, port: int) -> bool:
    asked = (str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port))
    return subprocess.run(asked, check=False).returncode == 0  # noqa: S603 - found on PATH, as is
