"""One account whose list is kept in step with a simulated Infobip; nobody waits for the seconds between requests."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from codes import shipped
from config.secrets import Secret
from config.sync import Switches
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey
from infobip.outbound.transport import Patience, Transport
from infobip.simulator import Simulator
from policy import Rules, shipped_policy
from store import entering, incidents, suppressions, sync_runs
from store.database import Database
from store.entering import Wanted
from store.schema import listed
from store.schema import suppressions as entries
from store.vault import Vault
from tests.support.desk import WORDS
from tests.support.infobip import AT_ONCE, KEY, call, infobip
from workers.prepare import Preparer
from workers.sync.desk import Desk
from workers.sync.run import work
from workers.sync.theirs import Reader

ON = Switches(blocklist=True)
BOTH = Switches(blocklist=True, pull=True)


@dataclass
class World:
    """What a test of the sync needs."""

    database: Database
    vault: Vault
    infobip: Simulator
    switches: Switches = ON
    key: str = KEY
    ahead: timedelta = timedelta()
    settles: bool = True
    rules: Rules = field(default_factory=shipped_policy)
    account: str = "main"
    dated: set[tuple[str, str, str]] = field(default_factory=set)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        """Let time pass here and there, and there what is due then happen."""
        self.ahead += timedelta(seconds=seconds)
        self.infobip.advance(seconds)
        if self.settles:
            self.infobip.settle()
        # What it dates by the real clock is dated by the clock of this world, which has gone on.
        dates = self.infobip.world.suppressions._since
        for key in dates.keys() - self.dated:
            dates[key] += self.ahead
            self.dated.add(key)

    def desk(self, owner: str = "worker") -> Desk:
        now = self.clock()
        with self.database.transaction() as connection:
            sync_runs.ensure(connection, self.account, now)
            run = sync_runs.read(connection, self.account)
        assert run is not None
        transport = Transport(Patience(connect=2, answer=2, total=3))
        reader = Reader(self.vault, Preparer(self.vault, shipped(), WORDS), lambda: self.rules)
        left = iter(range(2_000))
        return Desk(
            database=self.database,
            vault=self.vault,
            client=Client(self.infobip.url, AppKey(Secret(self.key)), transport),
            account=self.account,
            switches=self.switches,
            reader=reader,
            run=run,
            over=lambda: next(left, None) is None,
            sleep=self.sleep,
            clock=self.clock,
        )

    def sync(self, rounds: int = 8) -> None:
        """Let workers come round until everything that may happen has happened."""
        for _ in range(rounds):
            work(self.desk())
            self.sleep(6)

    def suppress(self, *people: str, **more: Any) -> None:
        """Enter suppressions as an operator does."""
        wanted = [Wanted(self.account, person, **more) for person in people]
        with self.database.transaction() as connection:
            entering.enter(connection, self.vault, wanted, self.clock(), "ada", "operator")

    def lift(self, *people: str) -> None:
        """Lift all that stands of these people."""
        with self.database.transaction() as connection:
            hashes = [self.vault.hash_address(self.account, person) for person in people]
            standing = entries.c.state.in_(suppressions.STANDING)
            numbers = connection.scalars(select(entries.c.id).where(entries.c.address.in_(hashes), standing)).all()
            now = self.clock()
            suppressions.lift(connection, [(number, now) for number in numbers], now, "ada", "asked for")

    def rows(self, person: str = "") -> list[Row[Any]]:
        query = select(listed).order_by(listed.c.id)
        if person:
            query = query.where(listed.c.address == self.vault.hash_address(self.account, person))
        with self.database.reading() as connection:
            return list(connection.execute(query).all())

    def states(self, person: str = "") -> Counter[str]:
        """Return how many records are in which state, such as `add verified`."""
        return Counter(f"{row.op} {row.state}".strip() for row in self.rows(person))

    def there(self, **query: str) -> list[tuple[str, str, str, str]]:
        """Return what Infobip's Blocklist holds: destination, channel, sender, source."""
        found = list(self.infobip.world.blocklist._records.values())
        shown = [(one.destination, one.channel, one.sender, one.source) for one in found]
        return sorted(one for one in shown if not query or one[3] == query["source"])

    def put_there(self, *people: str, **more: str) -> None:
        """Let somebody at the company enter people in Infobip's portal."""
        for person in people:
            self.infobip.world.blocklist.put(person, **more)

    def take_off_there(self, person: str, **more: str) -> None:
        """Let somebody take a person off in Infobip's portal."""
        group = {"destinations": [{"to": person}], **more}
        answer = call(self.infobip, "DELETE", "/platform/1/blocklists", json={"blocklist": [group]})
        assert answer.status_code == 202, answer.text
        self.infobip.settle()

    def entries(self, person: str = "") -> list[Row[Any]]:
        query = select(entries).order_by(entries.c.id)
        if person:
            query = query.where(entries.c.address == self.vault.hash_address(self.account, person))
        with self.database.reading() as connection:
            return list(connection.execute(query).all())

    def incidents(self) -> dict[str, Any]:
        """Fold what was sighted; return the incidents by their rule."""
        with self.database.transaction() as connection:
            incidents.fold(connection, self.clock())
        with self.database.reading() as connection:
            from store.schema import incidents as table

            return {row.rule: row for row in connection.execute(select(table)).all()}

    def pull_again(self) -> None:
        """Let the next round read the whole list."""
        with self.database.transaction() as connection:
            sync_runs.at_once(connection, self.account, self.clock())

    def of(self, account: str) -> "World":
        """Return the same Infobip as another account here sees it."""
        return replace(self, account=account)

    def having(self, **changes: Any) -> "World":
        """Set switches."""
        self.switches = replace(self.switches, **changes)
        return self


@contextmanager
def world(database: Database, vault: Vault, scenario: dict[str, Any] | None = None) -> Iterator[World]:
    with infobip({**AT_ONCE, **(scenario or {})}) as simulator:
        yield World(database, vault, simulator)


def people(count: int, first: int = 447_700_900_000) -> list[str]:
    return [str(first + number) for number in range(count)]
