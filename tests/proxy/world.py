"""One installation with its pass-through and API, in this process or as gunicorn's own."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests
from flask import Flask
from sqlalchemy import Table, select, text
from werkzeug.test import TestResponse

from config.settings import load_settings
from infobip.outbound.transport import Patience, Transport
from store import api_keys, schema, sends
from store.database import open_database
from store.messages import key_of
from store.sends import Send
from store.suppressions import ACTIVE, Entry, suppress
from store.vault import Vault
from tests.support.infobip import KEY, PERSON, sms
from tests.support.ports import free_port
from tests.webhook.world import NoDoorbell, Process, wait_for
from webhook.proxy.app import create_app
from webhook.ringer import Ringer

AUTHORIZATION: Final = {"Authorization": f"App {KEY}"}
OTHER: Final = "447700900456"


class World:
    """A database, its keys, and applications with any settings on it."""

    def __init__(self, database_url: str, vault: Vault, folder: Path, upstream: str) -> None:
        # Impatient, so that a test need not wait for a database that is away.
        self.database = open_database(database_url, synchronous="NORMAL", lock_wait=timedelta(seconds=0.3))
        self.vault = vault
        self.folder = folder
        self.environ = {
            "DLR_STATE_DIR": str(folder / "state"),
            "DLR_DATABASE_URL": database_url,
            "DLR_SQLITE_SYNCHRONOUS": "NORMAL",
            "DLR_INFOBIP_URL": upstream,
            "DLR_LOG_FORMAT": "json",
        }
        self.transport = Transport(Patience(connect=1, answer=1, total=1.5), adds=False)
        self.ringer = Ringer(NoDoorbell())
        self.key = self.make_key()

    def make_key(self, *scopes: str, account: str = "main") -> str:
        with self.database.transaction() as connection:
            return api_keys.make(connection, account, "test", scopes or api_keys.SCOPES, datetime.now(UTC))

    def app(self, **environ: str) -> Flask:
        settings = load_settings({**self.environ, **environ})
        return create_app(
            settings, database=self.database, vault=self.vault, transport=self.transport, doorbell=self.ringer
        )

    def send(
        self, body: Any = None, path: str = "/sms/3/messages", app: Flask | None = None, **more: Any
    ) -> TestResponse:
        """Post a send through the pass-through."""
        headers = {**AUTHORIZATION, **more.pop("headers", {})}
        json = {} if "data" in more else {"json": sms() if body is None else body}
        return (app or self.app()).test_client().post(f"/proxy/{self.key}{path}", headers=headers, **json, **more)

    def suppress(self, address: str = PERSON, **more: Any) -> None:
        """Put somebody on the list."""
        entry = Entry(
            **{
                "account": "main",
                "address": self.vault.hash_address("main", address),
                "channel": "",
                "sender": "",
                "campaign": "",
                "purpose": "all",
                "cause": "recipient_opted_out",
                "rule": "test",
                "origin": "operator",
                "state": ACTIVE,
                "since": datetime.now(UTC) - timedelta(hours=1),
                "until": None,
                "evidence": {},
                **more,
            }
        )
        with self.database.transaction() as connection:
            suppress(connection, [entry], datetime.now(UTC), "test")

    def registered(self, message_id: str, address: str = PERSON) -> Send:
        """Return the one send of a message id to a person."""
        key = key_of(self.vault, "main", message_id, address)
        with self.database.reading() as connection:
            return sends.find(connection, [key])[key]

    def rows(self, table: Table) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(table)).all())

    def states(self) -> list[str]:
        return sorted(row.state for row in self.rows(schema.sends))

    def content(self, send: Send) -> sends.Content | None:
        with self.database.reading() as connection:
            return sends.content_of(connection, self.vault, send.content)

    @property
    def content_count(self) -> int:
        return len(self.rows(schema.contents))

    def close(self) -> None:
        self.transport.close()
        self.ringer.close()
        self.database.close()


class Proxy(Process):
    """`python -m webhook.proxy` on a free port."""

    def __init__(self, world: World, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.base = f"{self.url}/proxy/{world.key}"
        given = {**world.environ, "DLR_PROXY_BIND": f"127.0.0.1:{self.port}", **environ}
        super().__init__([sys.executable, "-m", "webhook.proxy"], world.folder / f"proxy-{self.port}.log", given)
        wait_for(lambda: self.popen.poll() is not None or listens(self.port), 20)
        assert self.popen.poll() is None, self.text()


def listens(port: int) -> bool:
    """Whether a pass-through answers there."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def away(world: World) -> Iterator[None]:
    """Let nobody write into the database, as one that fails over or is locked by a long migration."""
    other = open_database(world.environ["DLR_DATABASE_URL"], synchronous="NORMAL")
    try:
        with other.transaction() as connection:
            if not other.is_sqlite:
                connection.execute(text("LOCK TABLE sends, suppressions"))
            yield
    finally:
        other.close()


def several(people: Iterable[tuple[str, str]], **message: Any) -> dict[str, Any]:
    """Return one SMS message to (address, message id) each."""
    destinations = [{"to": to, "messageId": number} for to, number in people]
    return {"messages": [{"sender": "Shop", "destinations": destinations, "content": {"text": "Hello"}, **message}]}
