"""Many messages through real processes that are killed all the time, and what became of them."""

import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from config.settings import load_settings
from infobip.simulator import Simulator
from store import api_keys
from store.schema import inbox, messages, retries
from store.vault import Vault, open_vault
from tests.chaos.application import Application, Order, orders
from tests.chaos.killers import Killer, die_now_and_then
from tests.chaos.scenario import CONTROL, POLICY, SPEED, WAVERING, scenario
from tests.chaos.watch import Watch
from tests.support.infobip import KEY, infobip
from tests.support.stack import Stack, running, wait_for
from workers.context import open_context

_OPEN: Final = ("planned", "claimed", "sending", "waiting", "observed", "proposed")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a storm is. `least` and `most` are the seconds between two kills."""

    messages: int
    mortals: int = 2
    least: float = 0.5
    most: float = 2.0


@dataclass
class Storm:
    """One storm, while it lasts and afterwards."""

    size: Size
    dice: random.Random
    stack: Stack
    infobip: Simulator
    vault: Vault
    application: Application
    watch: Watch
    killer: Killer
    environ: dict[str, str]
    """The settings of the installation, for what runs beside it."""
    deaths: Counter[str] = field(default_factory=Counter)
    opted_out: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=count)

    def run(self, patience: float) -> None:
        """Send everything while everything is killed; then wait until nothing is left to be done."""
        over, calm = threading.Event(), threading.Event()
        with ExitStack() as stack:
            work: list[tuple[Any, ...]] = [
                (self.killer.at_random, over, self.size.least, self.size.most),
                (self.killer.between_post_and_record, over),
                (self.watch.until, calm),
            ]
            for _ in range(self.size.mortals):
                context = open_context(load_settings(self.environ))
                stack.callback(context.database.close)
                work.append((die_now_and_then, context, over, random.Random(self.dice.random()), self.deaths))
            threads = [threading.Thread(target=one, args=given, daemon=True) for one, *given in work]
            for thread in threads:
                thread.start()
            try:
                self.application.send_all(orders(self.size.messages, self.dice))
                # The resends of what was sent last are to meet it, too.
                over.wait(8)
                over.set()
                self._settle(patience)
            finally:
                over.set()
                calm.set()
                for thread in threads:
                    thread.join(30)
        self.watch.look()

    def waver(self, message_id: str, to: str) -> None:
        """Let a person who wavers say STOP some seconds after a message was sent."""
        if to.startswith(WAVERING) and to not in self.opted_out:
            self.opted_out.add(to)
            threading.Timer(self.dice.uniform(0, 4), self._stop, (to,)).start()

    def _stop(self, person: str) -> None:
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        said = {"messageId": f"in-{person}", "from": person, "to": "Shop", "text": "STOP", "receivedAt": moment}
        for _ in range(200):
            try:
                if self.stack.post_items(said)[0] == 200:
                    return
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(0.2)

    def _settle(self, patience: float) -> None:
        """Wait; meanwhile messages go on to be sent, without which nobody can tell missing logs from late ones."""

        def sent_more() -> bool:
            self.application.send(Order(CONTROL, {f"control-{next(self._numbers)}": f"44770090{self._person():04}"}))
            time.sleep(1.0)
            return not self.rest()

        wait_for(sent_more, "everything to be over", patience)

    def _person(self) -> int:
        return self.dice.randrange(10_000)

    def rest(self) -> str:
        """Say what is still to be done, or nothing."""
        with self.stack.database.reading() as connection:
            callbacks = connection.scalar(select(func.count()).where(inbox.c.waiting == 1))
            planned = connection.scalar(select(func.count()).where(retries.c.state.in_(_OPEN)))
            doubted = (retries.c.state == "unknown") & retries.c.due_at.is_not(None)
            doubtful = connection.scalar(select(func.count()).where(doubted))
        reports = 0 if self.infobip.world.is_settled else 1
        repeated = len(self.infobip.callbacks("waiting"))
        found = {"callbacks": callbacks, "planned": planned, "doubtful": doubtful, "reports": reports + repeated}
        return ", ".join(f"{number} {name}" for name, number in found.items() if number)

    # ---- what became of it

    def final_states(self) -> dict[str, Counter[str]]:
        """Return the states of every message that Infobip has, by its id."""
        found: dict[str, Counter[str]] = {message_id: Counter() for message_id in self.application.sent}
        for row in self.stack.rows(messages):
            found.setdefault(row.message_id, Counter())[row.state] += 1
        return found

    def truth(self) -> dict[str, str]:
        """Return what Infobip knows of every message that the application sent, all attempts taken together."""
        arrived: Counter[str] = Counter()
        for message in self.infobip.world.book.newest_messages():
            arrived[message.id.split("-r")[0]] += message.status.group == "DELIVERED"
        return {name: "delivered" if arrived[name] else "failed" for name in self.application.sent}

    def taken_twice(self) -> list[str]:
        """Return the ids that Infobip took more than once."""
        return sorted(name for name, times in self.infobip.world.book.accepted.items() if times > 1)

    def left_too_late(self) -> list[str]:
        """Return the resends that left although their message had arrived, or their person wanted no more."""
        known = {row.key: row.message_id for row in self.stack.rows(messages)}
        found = []
        for row in self.stack.rows(retries):
            if row.sent_at is None:
                continue
            for what, seen in (("arrived", self.watch.arrived.get(row.message_key)), ("silent", self._silent(row))):
                if seen is not None and row.sent_at > seen:
                    found.append(f"{known.get(row.message_key)} attempt {row.attempt} {what}")
        return found

    def _silent(self, row: Any) -> datetime | None:
        return self.watch.silent.get(row.recipient)

    def unregistered(self) -> list[str]:
        """Return the resends that Infobip took and that no row speaks of, or not as taken."""
        rows = {row.new_id: row.state for row in self.stack.rows(retries) if row.new_id}
        ids = {entry.message_id for entry in self.infobip.world.book.entries if "-r" in entry.message_id}
        return sorted(f"{name} {rows.get(name)}" for name in ids if rows.get(name) not in ("accepted", "cancelled"))

    def tally(self) -> dict[str, Any]:
        """Return numbers to be read."""
        rows = self.stack.rows(retries)
        return {
            "sent": len(self.application.sent),
            "resends": dict(Counter(f"{row.state}, {row.posts} posts" for row in rows)),
            "kills": dict(self.killer.kills),
            "deaths": dict(self.deaths),
            "faults": dict(self.infobip.world.faults),
            "silent": len(self.watch.silent),
            "states": dict(sum(self.final_states().values(), Counter())),
        }


@contextmanager
def storm(folder: Path, seed: int, size: Size, **settings: str) -> Iterator[Storm]:
    """Let one begin and end."""
    policy = folder / "policy.toml"
    policy.write_text(POLICY, "utf-8")
    dice = random.Random(seed)
    with infobip(scenario(seed), speed=SPEED) as simulator:
        given = {
            "DLR_INFOBIP_URL": simulator.url,
            "DLR_INFOBIP_KEY": KEY,
            "DLR_POLICY": str(policy),
            "DLR_QUIET_HOURS": "off",
            "DLR_SWEEP": "1s",
            "DLR_PROXY_TIMEOUT": "5s",
            # What passes unregistered cannot be sent again, and that is another story.
            "DLR_PROXY_FAIL_CLOSED": "true",
            "DLR_SQLITE_SYNCHRONOUS": "NORMAL",
            **settings,
        }
        with running(folder, "tests.chaos.hurried", **given) as stack:
            environ = {**given, "DLR_STATE_DIR": str(stack.state_dir), "DLR_REDIS_URL": "memory://"}
            with stack.database.transaction() as connection:
                key = api_keys.make(connection, "main", "storm", api_keys.SCOPES, datetime.now(UTC))
            simulator.world.targets.notify_url = f"http://127.0.0.1:{stack.port}/webhook/{{channel}}/{stack.token}"
            application = Application(simulator, f"http://127.0.0.1:{stack.proxy_port}/proxy/{key}")
            made = Storm(
                size,
                dice,
                stack,
                simulator,
                open_vault(stack.state_dir, stack.database),
                application,
                Watch(stack.database),
                Killer(stack, simulator, random.Random(seed + 1)),
                environ,
            )
            application.afterwards = made.waver
            yield made
