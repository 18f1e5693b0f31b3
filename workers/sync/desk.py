"""What one account's sync works with, for as long as a worker holds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Connection

from config.sync import Switches
from infobip.outbound.client import Client
from infobip.outbound.lists import blocklist
from infobip.outbound.lists.outcome import Busy, Denied, Rejected, Trouble, Unclear, Unsent
from policy.mirror import Wishes
from store import incidents, sync_runs
from store.database import Database
from store.incidents import Sighting
from store.moments import from_ms
from store.sync_runs import Run
from store.vault import Vault
from workers.sync import telling
from workers.sync.theirs import Reader

T = TypeVar("T")
_BUSY: Final = timedelta(seconds=2)
_DENIED: Final = timedelta(minutes=5)
AGAIN: Final = "It is tried again by itself; look at Infobip's status page if it goes on."


@dataclass(slots=True)
class Desk:
    """One account between our database and Infobip. `over` says when to stop, `sleep` waits for seconds."""

    database: Database
    vault: Vault
    client: Client
    account: str
    switches: Switches
    reader: Reader
    run: Run
    over: Callable[[], bool]
    sleep: Callable[[float], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def wishes(self) -> Wishes:
        """Which lists are on, in the policy's words."""
        on = self.switches
        return Wishes(blocklist=on.blocklist, email_domains=on.email_domains, push=on.push, ends=on.ends)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do something in a transaction."""
        return self.database.repeat(work)

    def reload(self) -> Run:
        """Read anew how far the account is."""
        with self.database.reading() as connection:
            found = sync_runs.read(connection, self.account)
        assert found is not None
        self.run = found
        return found

    def turn(self, method: str) -> bool:
        """Wait until the Blocklist may be asked by `method` again, and note that it is; whether there was time."""
        asked = self.run.asked.get(method, 0)
        # A clock that was put back must not make anybody wait for hours.
        wait = min(blocklist.SECONDS - (self.clock() - from_ms(asked)).total_seconds(), blocklist.SECONDS)
        if wait > 0:
            self.sleep(wait)
        if self.over():
            return False
        self.asked(method)
        return True

    def asked(self, method: str) -> None:
        """Note that the Blocklist is asked now: before a request, for whoever comes after a kill, and after it."""
        now = self.clock()
        self.write(lambda connection: sync_runs.note_asked(connection, self.run, method, now))

    def works(self, of_list: str) -> None:
        """Note that Infobip answers."""
        if of_list in self.run.troubles:
            now = self.clock()

            def work(connection: Connection) -> None:
                sync_runs.works(connection, self.account, of_list, now)
                incidents.end_known(connection, self.account, telling.key_of_stand(of_list), now)

            self.write(work)
            self.reload()

    def trouble(self, of_list: str, found: Trouble | Rejected, what: str) -> None:
        """Let a list rest, and a person hear of what does not pass by itself."""
        now = self.clock()
        wait: timedelta | None = None
        match found:
            case Denied():
                text, step, wait = f"{what}: {found.text}", found.next_step, _DENIED
                self.tell(telling.denied(self.account, of_list, text, step, now))
            case Busy():
                text, step, wait = f"{what}: Infobip asks to go slower", AGAIN, found.wait or _BUSY
            case Unsent():
                text, step = f"{what}: Infobip cannot be reached: {found.text}", found.next_step
            case Unclear():
                text, step = f"{what}: no clear answer: {found.text}", AGAIN
            case Rejected():
                text, wait = f"{what}: refused: {found.text}", _DENIED
                step = "Report it: the API may have changed."
                self.tell(telling.denied(self.account, of_list, text, step, now))
        self.write(lambda connection: sync_runs.rest(connection, self.account, of_list, now, text, step, wait))
        self.reload()

    def goes_on(self, of_list: str) -> bool:
        """Whether there is time left, and the list does not rest."""
        return not self.run.rests(of_list, self.clock()) and not self.over()

    def tell(self, sighting: Sighting) -> None:
        """Let a person hear of something."""
        self.write(lambda connection: incidents.note(connection, [sighting]))
