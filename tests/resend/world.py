"""One account that sends through an offline Infobip: a desk that decides, a register, and resenders with a clock."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.accounts import Account
from config.secrets import Secret
from infobip.outbound.transport import Patience, Transport
from infobip.simulator import Simulator
from policy import Rules, load_policy
from store import messages, sends
from store.database import Database
from store.schema import retries
from store.sends import Content, Send
from store.vault import Vault
from tests.support.desk import Desk, report
from tests.support.infobip import KEY, infobip, sms
from workers.actions.resend.limiter import Limiter
from workers.actions.resend.outlets import Outlets
from workers.actions.resend.resender import Resender

PERSON = "447700900123"
ACTING = """
version = 1
[modes]
retry = "act"
suppress = "act"
[purposes]
default = {"*" = "transactional"}
"""


def acting_rules(folder: Path, more: str = "") -> Rules:
    """Return the shipped rules with every mode at `act`."""
    path = folder / "policy.toml"
    path.write_text(ACTING + more, "utf-8")
    return load_policy(path)


@dataclass
class Clock:
    """A clock that is ahead of the real one."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@dataclass
class World:
    """What a test of resends needs."""

    desk: Desk
    infobip: Simulator
    account: Account
    clock: Clock = field(default_factory=Clock)
    limiter: Limiter = field(default_factory=lambda: Limiter("memory://"))
    patience: Patience = field(default_factory=lambda: Patience(connect=2, answer=2, total=3))

    def outlets(self) -> Outlets:
        return Outlets({self.account.name: self.account}, "", self.desk.vault, Transport(self.patience))

    def resender(self, owner: str = "resender") -> Resender:
        rules = self.desk.rules
        return Resender(
            self.desk.database, self.desk.vault, lambda: rules, self.outlets(), self.limiter, owner, self.clock
        )

    def run(self, **ahead: float) -> int:
        """Let time pass and run a resender until nothing is due."""
        self.clock.pass_(**ahead)
        return self.resender().run(lambda: False)

    def register(self, message_id: str = "m-1", to: str = PERSON, **more: Any) -> Send:
        """Register a send with its content, as an application does."""
        body = json.dumps(sms(to=to, message_id=message_id)).encode()
        vault, account = self.desk.vault, self.account.name
        with self.desk.database.transaction() as connection:
            until = datetime.now(UTC) + timedelta(days=8)
            said = Content(body, more.pop("fallback", None), more.pop("reports_to", ""))
            [content] = sends.keep_contents(connection, vault, account, [(said, until)])
            send = Send(
                **{
                    "key": messages.key_of(vault, account, message_id, to),
                    "account": account,
                    "message_id": message_id,
                    "recipient": vault.hash_address(account, to),
                    "channel": "sms",
                    "sender": "Shop",
                    "sent_at": datetime.now(UTC),
                    "purpose": "transactional",
                    "endpoint": "sms-3",
                    "path": "/sms/3/messages",
                    "content": content,
                    **more,
                }
            )
            sends.register(connection, [send], datetime.now(UTC))
        return send

    def fail(self, message_id: str = "m-1", error: int = 27, **more: Any) -> None:
        """Let Infobip report a failure."""
        self.desk.handle(report(message_id, status=9, error=error, doneAt=_date(), **more))

    def deliver(self, message_id: str = "m-1", **more: Any) -> None:
        """Let Infobip report a delivery."""
        self.desk.handle(report(message_id, doneAt=_date(), **more))

    def states(self) -> list[tuple[int, str]]:
        return [(row.attempt, row.state) for row in self.rows()]

    def rows(self) -> Sequence[Any]:
        with self.desk.database.reading() as connection:
            return connection.execute(select(retries).order_by(retries.c.message_key, retries.c.attempt)).all()


def _date() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@contextmanager
def world(
    database: Database, vault: Vault, folder: Path, scenario: Any = None, policy: str = "", **account: Any
) -> Iterator[World]:
    """Return a world whose Infobip follows `scenario`."""
    with infobip(scenario) as simulator:
        own = Account(**{"name": "main", "base_url": simulator.url, "key": Secret(KEY), **account})
        yield World(Desk(database, vault, acting_rules(folder, policy)), simulator, own)
