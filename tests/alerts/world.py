"""One installation with alert routes, and the real services that it tells: HTTP servers and an SMTP server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from config.settings import load_settings
from store import incidents, notices
from store.database import Database
from store.incidents import Opened, Sighting
from store.schema import incident_events, outbox
from store.schema import incidents as incident_table
from tests.relay.world import HASTE, Clock, Target
from tests.support.ports import free_port
from workers.actions.outbox import make_sender
from workers.actions.post import Road
from workers.context import Context, open_context, owner

FUNDS = "account-funds|account=main"


def json_url(target: Target) -> str:
    """Return the URL under which apprise posts JSON to a target."""
    return f"json://127.0.0.1:{target.server_address[1]}/hook"


def base_url(target: Target) -> str:
    return f"http://127.0.0.1:{target.server_address[1]}"


@dataclass
class Mail:
    """What an SMTP server got."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        return self.answers.pop(0) if self.answers else "250 taken"

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=dlr@example.com&to=oncall@example.com&mode=insecure"


@contextmanager
def mailing() -> Iterator[Mail]:
    """Run an SMTP server."""
    mail = Mail(free_port())
    controller = Controller(mail, hostname="127.0.0.1", port=mail.port)
    controller.start()
    try:
        yield mail
    finally:
        controller.stop()


class World:
    """One installation on one database, with the routes as given, and a clock that goes when it is told to."""

    def __init__(self, url: str, folder: Path, routes: str) -> None:
        self.file = folder / "routes.toml"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(routes)
        environ = {
            "DLR_STATE_DIR": str(folder),
            "DLR_DATABASE_URL": url,
            "DLR_SQLITE_SYNCHRONOUS": "NORMAL",
            "DLR_ALERT_ROUTES": str(self.file),
        }
        self.clock = Clock()
        self.context: Context = open_context(load_settings(environ))

    @property
    def database(self) -> Database:
        return self.context.database

    def see(self, key: str = FUNDS, count: int = 1, **more: Any) -> None:
        """Append a sighting."""
        known: dict[str, Any] = {
            "account": "main",
            "key": key,
            "rule": "account-funds",
            "severity": "critical",
            "title": "Messages fail because the account has no credit (account main)",
            "next_step": "Top up the account.",
            "at": self.clock(),
            "count": count,
            "cause": "account_funds",
            "example": "m-1 to …23",
        }
        with self.database.transaction() as connection:
            incidents.note(connection, [Sighting(**(known | more))])

    def fold(self) -> list[Opened]:
        """Do what the fold task does, at the clock's time."""
        now, settings = self.clock(), self.context.settings
        routes = self.context.routes.routes()
        told = self.database.repeat(lambda connection: incidents.fold(connection, now, settings.alert_flap))
        self.database.repeat(lambda connection: incidents.resolve_quiet(connection, now, settings.alert_quiet))
        self.database.repeat(lambda connection: notices.spread(connection, routes, now))
        self.database.repeat(lambda connection: notices.keep_telling(connection, routes, now))
        return told

    def send(self, seconds: float = 20) -> int:
        """Send what is due, as a worker would."""
        self.context.owner = owner()
        return make_sender(self.context, road=Road(private=True, patience=HASTE), clock=self.clock).run(seconds)

    def work(self) -> None:
        """Fold and send, and hear what the sending saw."""
        self.fold()
        self.send()
        self.fold()

    def later(self, **span: float) -> None:
        self.clock.now += timedelta(**span)

    def rows(self, table: Any = outbox) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(table).order_by(table.c.id)).all())

    def changes(self) -> list[str]:
        return [row.change for row in self.rows(incident_events)]

    def incident(self) -> Any:
        (row,) = self.rows(incident_table)
        return row

    def close(self) -> None:
        self.context.database.close()


def posted(target: Target) -> list[Any]:
    """Return the JSON bodies that came."""
    return [json.loads(seen.body) for seen in target.seen]


def titles(target: Target) -> list[str]:
    return [body["title"] for body in posted(target)]
