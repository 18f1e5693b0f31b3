"""The list here and Infobip's Blocklist are kept in step by real processes that are killed again and again."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import select

from infobip.simulator import Simulator
from store import entering, suppressions
from store.entering import Wanted
from store.schema import listed, sync_runs
from store.schema import suppressions as entries
from store.vault import open_vault
from tests.support import postgres
from tests.support.dlr import Dlr
from tests.support.infobip import KEY, infobip
from tests.support.stack import Stack, running, wait_for

_OURS: Final = 1_200
_THEIRS: Final = 1_100
_STOPS: Final = 40
_LIFTED: Final = 60
_BATCH: Final = 400
# Requests wait for their answer, so that a kill mostly meets one under way; two answers are lost besides.
SCENARIO: Final[dict[str, Any]] = {
    "otherwise": [{"after": 0}],
    "blocklist_delay": "500ms",
    "rule": [
        {"name": "lost", "match": {"api": "blocklist", "share": 0.3, "times": 1}, "fault": {"drop": "after"}},
        {"name": "broken", "match": {"api": "blocklist", "share": 0.3, "times": 1}, "fault": {"status": 503}},
        {"name": "slow", "match": {"api": "blocklist"}, "slow": "200ms"},
    ],
}


def numbers(count: int, first: int) -> list[str]:
    return [str(first + number) for number in range(count)]


@dataclass
class Walk:
    """One installation in step with a simulated Infobip."""

    stack: Stack
    infobip: Simulator
    dlr: Dlr
    kills: Counter[str] = field(default_factory=Counter)

    def enter(self, people: list[str]) -> None:
        vault = open_vault(self.stack.state_dir, self.stack.database)
        wanted = [Wanted("main", person, channel="sms") for person in people]
        with self.stack.database.transaction() as connection:
            entering.enter(connection, vault, wanted, datetime.now(UTC), "ada", "operator")

    def lift(self, people: list[str]) -> None:
        vault = open_vault(self.stack.state_dir, self.stack.database)
        hashes = [vault.hash_address("main", person) for person in people]
        now = datetime.now(UTC)
        with self.stack.database.transaction() as connection:
            found = connection.scalars(select(entries.c.id).where(entries.c.address.in_(hashes))).all()
            assert suppressions.lift(connection, [(one, now) for one in found], now, "ada", "asked") == len(people)

    def states(self) -> Counter[str]:
        return Counter(f"{row.op} {row.state}".strip() for row in self.stack.rows(listed))

    def requests(self) -> int:
        return sum(number for name, number in self.infobip.counts()["requests"].items() if "blocklists" in name)

    def kill_at(self, requests: int, what: str) -> None:
        """Kill the worker with all its threads once Infobip has been asked so often: mostly it waits for an answer."""
        wait_for(lambda: self.requests() >= requests, f"request {requests}", 40)
        self.kill(what)

    def kill(self, what: str) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.stack.pids["effects"], signal.SIGKILL)
            self.kills[what] += 1

    def there(self) -> Counter[str]:
        return Counter(one.source for one in self.infobip.world.blocklist._records.values())


@pytest.fixture(params=["sqlite", "postgresql"])
def walk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("sync")
    with infobip(SCENARIO) as simulator:
        for person in numbers(_THEIRS, 447_700_100_000):
            simulator.world.blocklist.put(person, channel="SMS")
        for person in numbers(_STOPS, 447_700_200_000):
            simulator.world.blocklist.put(person, "Shop", "SMS", "MO")
        settings = {
            "DLR_INFOBIP_URL": simulator.url,
            "DLR_INFOBIP_KEY": KEY,
            "DLR_SYNC_BLOCKLIST": "true",
            "DLR_SYNC_PULL": "true",
            "DLR_SYNC_BATCH": str(_BATCH),
            "DLR_SWEEP": "1s",
        }
        if request.param == "postgresql":
            settings["DLR_DATABASE_URL"] = postgres.new_database(request.getfixturevalue("postgres_url"))
        with running(folder, **settings) as stack:
            yield Walk(stack, simulator, Dlr({**settings, "DLR_STATE_DIR": str(stack.state_dir)}))


def test_lists_come_into_step_through_kills_and_nothing_is_doubled_or_lost(walk: Walk) -> None:
    walk.enter(numbers(_OURS, 447_700_300_000))
    killer = threading.Thread(target=_kills, args=(walk,), daemon=True)
    killer.start()
    whole = {"add verified": _OURS, "there": _THEIRS + _STOPS}
    wait_for(lambda: walk.states() == whole, f"{whole}, and not {walk.states()}", 120)
    killer.join(1)
    # Every entry stands there exactly once; asked twice was no more than what a kill or a lost answer left open.
    assert walk.there() == {"CUSTOM": _OURS + _THEIRS, "MO": _STOPS}
    counts = walk.infobip.counts()["blocklist"]
    assert counts["askedTwice"] <= _BATCH * (walk.kills.total() + 2)
    assert counts["removed"] == 0
    # What Infobip had is here once, and none of it went back.
    origins = Counter((row.origin, row.cause, row.state) for row in walk.stack.rows(entries))
    assert origins == {
        ("operator", "operator", "active"): _OURS,
        ("infobip", "recipient_blocklisted", "active"): _THEIRS,
        ("infobip", "recipient_opted_out", "active"): _STOPS,
    }
    _lifted_ones_go_and_stops_stay(walk)
    assert walk.kills.total() >= 3, walk.kills
    [state] = walk.dlr.json("suppress", "sync")
    assert state["lists"]["blocklist"]["add"]["verified"] == _OURS - _LIFTED
    assert not [line for line in walk.stack.lines if "4477003" in line or "4477001" in line]


def _kills(walk: Walk) -> None:
    for requests, what in ((2, "while it reads or pushes"), (4, "again"), (6, "and again")):
        walk.kill_at(requests, what)


def _lifted_ones_go_and_stops_stay(walk: Walk) -> None:
    lifted = numbers(_LIFTED, 447_700_300_000)
    for person in lifted[:20]:
        # They have also stopped by themselves: that is not ours to take off.
        walk.infobip.world.blocklist.put(person, "", "SMS", "MO")
    before = walk.requests()
    walk.lift(lifted)
    wait_for(lambda: walk.requests() > before, "the removal to be asked for", 20)
    walk.kill("while it takes off")
    wait_for(lambda: walk.states()["remove verified"] == _LIFTED, "what was lifted to be gone there", 90)
    assert walk.there() == {"CUSTOM": _OURS + _THEIRS - _LIFTED, "MO": _STOPS + 20}
    assert walk.infobip.counts()["blocklist"]["ownStopsRemoved"] == 0
    [run] = walk.stack.rows(sync_runs)
    assert run.troubles == "{}"
