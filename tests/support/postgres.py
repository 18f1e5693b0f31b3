"""A real PostgreSQL for the tests, started from the machine's own binaries and stopped with them."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.support.ports import free_port

_PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")


def binaries() -> Path | None:
    """Return the folder of initdb and postgres, the newest found, or nothing."""
    found = [path.parent for place in _PLACES for path in Path(place).glob("**/bin/initdb")]
    if found:
        return sorted(found)[-1]
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _as_owner(command: Sequence[str]) -> list[str]:
    """PostgreSQL refuses to run as root: then the user that its package made runs it."""
    if os.geteuid() == 0:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    return list(command)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server that keeps its data in `folder`; yield the URL of its first database."""
    program = binaries()
    assert program is not None
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data, port = folder / "data", free_port()
    initdb = [str(program / "initdb"), "-D", str(data), "-A", "trust", "-U", "dlr", "-E", "UTF8", "--no-sync"]
    subprocess.run(_as_owner(initdb), check=True, capture_output=True, cwd=folder)
    options = ("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off")
    command = [str(program / "postgres"), "-D", str(data), "-p", str(port), *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_as_owner(command), stdout=log, stderr=log, cwd=folder)
        try:
            ready = [str(program / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-t", "30"]
            for _ in range(100):
                if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                    break
                process.poll()
                assert process.returncode is None, (folder / "log").read_text()
                threading.Event().wait(0.1)
            yield f"postgresql+psycopg://dlr@127.0.0.1:{port}/postgres"
        finally:
            # At once: nobody needs what is in it, and a connection that a test left open would hold up its end.
            process.send_signal(signal.SIGQUIT)
            process.wait(30)


def new_database(url: str) -> str:
    """Make an empty database on the server of `url` and return its URL."""
    name = f"t{uuid.uuid4().hex[:12]}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.rpartition("/")[0] + f"/{name}"


def short_folder() -> Path:
    """Return a new folder whose path is short enough for a Unix socket and open to PostgreSQL's user."""
    folder = Path(tempfile.mkdtemp(prefix="dlr-pg-"))
    folder.chmod(0o755)
    return folder
