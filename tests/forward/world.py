"""One installation with endpoints of the customer's: reports come in, events go out to real HTTP servers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, select, update
from standardwebhooks import Webhook

from config.settings import load_settings
from policy import load_policy
from store import incidents
from store.database import Database
from store.inbox import Arrival, keep
from store.schema import outbox
from tests.relay.world import HASTE, Clock, Seen, Target
from workers.actions.outbox import make_sender
from workers.actions.post import Road
from workers.actions.sender import Sender
from workers.context import Context, open_context, owner

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
SECOND: Final = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
ACTING: Final = """
version = 1
[modes]
retry = "act"
suppress = "act"
[purposes]
default = {"*" = "transactional"}
"""


def table(target: Target, name: str = "crm", events: Sequence[str] = ("*",), **more: Any) -> str:
    """Return the TOML of one endpoint on loopback."""
    values = {"url": target.url, "secret": SECRET, "events": list(events), "private": True, **more}
    return f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def opened(seen: Seen, secret: str = SECRET) -> Any:
    """Return an event as a receiver gets it: nothing that its library does not verify."""
    return Webhook(secret).verify(seen.body, dict(seen.headers))


class World:
    """One installation on one database."""

    def __init__(self, url: str, folder: Path, toml: str) -> None:
        self.file = folder / "forward.toml"
        self.file.write_text(toml, "utf-8")
        self.policy = folder / "policy.toml"
        self.policy.write_text(ACTING, "utf-8")
        self.environ = {
            "DLR_STATE_DIR": str(folder / "state"),
            "DLR_DATABASE_URL": url,
            "DLR_SQLITE_SYNCHRONOUS": "NORMAL",
            "DLR_FORWARD": str(self.file),
            "DLR_POLICY": str(self.policy),
        }
        self.clock = Clock()
        self.context: Context = open_context(load_settings(self.environ))

    @property
    def database(self) -> Database:
        return self.context.database

    def rules(self, more: str) -> None:
        """Decide by further rules from now on."""
        self.policy.write_text(ACTING + more, "utf-8")
        self.context.pipeline.rules = load_policy(self.policy)
        self.context.policy._rules = self.context.pipeline.rules

    def handle(self, *items: Any, channel: str = "sms", account: str = "main", trusted: bool = True) -> None:
        """Let a callback come in, and decide on it."""
        body = json.dumps({"results": items}).encode()
        arrival = Arrival(account, channel, "application/json", body, datetime.now(UTC), trusted)
        with self.database.transaction() as connection:
            keep(connection, self.context.vault, arrival)
        self.context.drain.run(30)

    def sender(self) -> Sender:
        """Return a sender as another worker would make it, in a hurry."""
        self.context.owner = owner()
        return make_sender(self.context, road=Road(patience=HASTE), clock=self.clock)

    def send(self, seconds: float = 20) -> int:
        self.clock.now = max(self.clock.now, datetime.now(UTC))
        return self.sender().run(seconds)

    def rows(self, of: Table = outbox) -> Sequence[Any]:
        with self.database.reading() as connection:
            return connection.execute(select(of)).all()

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def due_now(self) -> None:
        """Let every row be due, as time would."""
        with self.database.transaction() as connection:
            past = self.clock() - timedelta(seconds=1)
            connection.execute(update(outbox).where(outbox.c.state == "due").values(due_at=past))

    def fold(self) -> dict[str, incidents.Opened]:
        """Fold the sightings; return the incidents that opened just now, by title."""
        found = self.database.repeat(lambda connection: incidents.fold(connection, self.clock()))
        return {one.title: one for one in found}

    def close(self) -> None:
        self.context.database.close()
