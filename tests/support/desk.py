"""Keep callbacks as the endpoint does and drain them as a worker does, against a real database."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, select

from codes import shipped
from policy import Rules, shipped_policy
from reports.words import OptWords
from store import inbox, incidents, sends
from store.database import Database
from store.inbox import Arrival
from store.messages import key_of
from store.sends import Send
from store.vault import Vault
from workers.drain import Drain, Drained
from workers.pipeline import Pipeline
from workers.prepare import Preparer

WORDS = OptWords.of("stop,unsubscribe", "quit", "start")
PERSON = "447700900123"


def when(minute: int = 0) -> str:
    """Return an Infobip date some minutes after ten on a March morning."""
    moment = datetime(2026, 3, 9, 10, tzinfo=UTC) + timedelta(minutes=minute)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def report(message: str = "m-1", status: int = 5, error: int = 0, minute: int = 0, **more: Any) -> dict[str, Any]:
    """Return one SMS delivery report as Infobip sends it."""
    group = {5: 3, 2: 3, 7: 1, 9: 2, 4: 2, 15: 4, 29: 4}.get(status, 5)
    item = {
        "messageId": message,
        "to": PERSON,
        "sender": "Shop",
        "doneAt": when(minute),
        "mccMnc": "23410",
        "status": {"id": status, "groupId": group},
        "error": {"id": error},
    }
    return {name: value for name, value in (item | more).items() if value is not None}


@dataclass
class Desk:
    """One endpoint and one worker over one database."""

    database: Database
    vault: Vault
    rules: Rules
    default_channel: str = ""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def drain_of_one_worker(self) -> Drain:
        preparer = Preparer(self.vault, shipped(), WORDS, self.default_channel)
        pipeline = Pipeline(self.database, self.vault, preparer, self.rules)
        return Drain(self.database, self.vault, preparer, pipeline, f"worker-{id(pipeline)}", self.clock)

    def post(self, *items: Mapping[str, Any], channel: str = "sms", trusted: bool = True, account: str = "main") -> int:
        """Keep a callback with these results."""
        return self.post_body(json.dumps({"results": items}).encode(), channel, trusted=trusted, account=account)

    def post_body(
        self,
        body: bytes,
        channel: str = "sms",
        *,
        content_type: str = "application/json",
        trusted: bool = True,
        account: str = "main",
        undecoded: bool = False,
        faults: Sequence[tuple[int, str]] = (),
    ) -> int:
        arrival = Arrival(
            account, channel, content_type, body, self.clock(), trusted, faults=faults, undecoded=undecoded
        )
        with self.database.transaction() as connection:
            return inbox.keep(connection, self.vault, arrival)

    def drain(self) -> Drained:
        return self.drain_of_one_worker.run(30)

    def handle(self, *items: Mapping[str, Any], **more: Any) -> Drained:
        """Keep a callback and drain it."""
        self.post(*items, **more)
        return self.drain()

    def register(self, message: str = "m-1") -> bytes:
        """Let the register know of an SMS to the person; return its key."""
        now = datetime.now(UTC)
        send = Send(
            key=key_of(self.vault, "main", message, PERSON),
            account="main",
            message_id=message,
            recipient=self.vault.hash_address("main", PERSON),
            channel="sms",
            sent_at=now,
            purpose="transactional",
            endpoint="sms-3",
            path="/sms/3/messages",
        )
        with self.database.transaction() as connection:
            sends.register(connection, [send], now)
        return send.key

    def rows(self, table: Table) -> Sequence[Row[Any]]:
        """Return a table's rows, in the order in which they were made where they have ids."""
        query = select(table).order_by(table.c.id) if "id" in table.c else select(table)
        with self.database.reading() as connection:
            return connection.execute(query).all()

    def fold(self) -> list[incidents.Opened]:
        return self.database.repeat(lambda connection: incidents.fold(connection, datetime.now(UTC)))


def desk(database: Database, vault: Vault) -> Desk:
    """Return a desk under the shipped policy."""
    return Desk(database, vault, shipped_policy())
