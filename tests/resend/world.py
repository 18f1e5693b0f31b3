"""One account that sends through an offline Infobip: a desk that decides, a register, and resenders with a clock."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from sqlalchemy import select

from codes import shipped
from config.accounts import Account
from config.secrets import Secret
from infobip.outbound import Rate
from infobip.outbound.transport import Patience, Transport
from infobip.simulator import Simulator
from policy import Rules, load_policy
from store import inbox, incidents, messages, pauses, sends
from store.database import Database
from store.inbox import Arrival
from store.pauses import Pause
from store.schema import retries
from store.sends import Content, Send
from store.vault import Vault
from tests.support.desk import WORDS, Desk, report
from tests.support.infobip import KEY, infobip, sms
from workers import pausing
from workers.actions.resend.limiter import Limiter
from workers.actions.resend.outlets import Outlets
from workers.actions.resend.resender import Resender
from workers.pipeline import Pipeline
from workers.prepare import Preparer

PERSON = "447700900123"
R = TypeVar("R", bound=Resender)
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
    # Reading and checking it takes longer than many a test, and most have the same.
    if (found := _known_rules.get(more)) is None:
        found = _known_rules[more] = load_policy(path)
    # One of its own for each world: some tests change it midway.
    return Rules(found.rules, found.version, found.modes, found.limits, found.purposes)


_known_rules: Final[dict[str, Rules]] = {}


def turned(plain: Resender, kind: type[R]) -> R:
    """Return the resender as one of another kind, which only behaves otherwise."""
    plain.__class__ = kind
    return cast("R", plain)


@dataclass
class Clock:
    """A clock that is ahead of the real one."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_(self, **span: float) -> None:
        self.ahead += timedelta(**span)


class Unlimited(Limiter):
    """Time is made up here, and a limit by the real clock would only be waited for."""

    def pass_one(self, account: str, name: str, rate: Rate | None, patience: float) -> bool:
        return True


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
        body = json.dumps(more.pop("request", None) or sms(to=to, message_id=message_id)).encode()
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
                    "sent_at": self.clock(),
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
        self.desk.handle(report(message_id, status=9, error=error, doneAt=date_of(), **more))

    def deliver(self, message_id: str = "m-1", **more: Any) -> None:
        """Let Infobip report a delivery."""
        self.desk.handle(report(message_id, doneAt=date_of(), **more))

    def hear(self, *items: dict[str, Any]) -> None:
        """Let Infobip report things that have just happened by this world's clock, and a worker handle them then."""
        moment = self.clock()
        told = [item | {name: date_of(moment) for name in ("doneAt", "receivedAt") if name in item} for item in items]
        body = json.dumps({"results": told}).encode()
        database, vault = self.desk.database, self.desk.vault
        with database.transaction() as connection:
            inbox.keep(connection, vault, Arrival("main", "sms", "application/json", body, moment, trusted=True))
        callbacks = inbox.claim(database, vault, "worker", moment).callbacks
        preparer = Preparer(vault, shipped(), WORDS)
        prepared = [item for callback in callbacks for item in preparer.prepare(callback)]
        pipeline = Pipeline(database, vault, preparer, self.desk.rules)
        pipeline.run("worker", prepared, [callback.id for callback in callbacks], moment)

    def watch(self) -> list[Pause]:
        """Let the house-keeping look after pauses and incidents."""
        limits = self.desk.rules.limits
        started = self.desk.database.repeat(lambda connection: pausing.watch(connection, limits, self.clock()))
        self.desk.database.repeat(lambda connection: incidents.fold(connection, self.clock()))
        return started

    def pauses(self) -> Sequence[Pause]:
        with self.desk.database.reading() as connection:
            return pauses.everywhere(connection)

    def states(self) -> list[tuple[int, str]]:
        return [(row.attempt, row.state) for row in self.rows()]

    def rows(self) -> Sequence[Any]:
        with self.desk.database.reading() as connection:
            return connection.execute(select(retries).order_by(retries.c.message_key, retries.c.attempt)).all()


def date_of(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@contextmanager
def world(
    database: Database, vault: Vault, folder: Path, scenario: Any = None, policy: str = "", **account: Any
) -> Iterator[World]:
    """Return a world whose Infobip follows `scenario`."""
    with infobip(scenario) as simulator:
        own = Account(**{"name": "main", "base_url": simulator.url, "key": Secret(KEY), **account})
        yield World(Desk(database, vault, acting_rules(folder, policy)), simulator, own)
