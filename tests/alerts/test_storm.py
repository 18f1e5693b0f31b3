"""A storm of one cause is one incident and one notification, beside the same load without failures.

`--storm 100000` makes it as large as that, and `-s` shows its figures; by itself it is small enough for every run.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from store.schema import incident_deltas, incidents, traffic_deltas
from tests.alerts.conftest import MakeWorld
from tests.alerts.world import World, json_url, posted
from tests.relay.world import Target
from tests.support.desk import Desk, desk, report
from workers import maintain
from workers.drain import Drain

_CALLBACK = 100
_DELIVERED, _NO_CREDIT = 5, 12
_TURNS = 10
"""Both loads come in so many parts, in turns: whatever else the machine does slows both of them."""


@dataclass
class Load:
    """Reports of one status, and what it took to process them."""

    status: int
    reports: int = 0
    seconds: float = 0
    cpu: float = 0
    parts: list[float] = field(default_factory=list)
    """Reports in a second, part by part."""
    rows: int = 0
    """How many rows were appended for incidents and for the usual rates."""

    def run(self, world: World, table: Desk, reports: int) -> None:
        """Keep so many reports, drain them, and fold what was counted as `maintain` does every few seconds."""
        for start in range(self.reports, self.reports + reports, _CALLBACK):
            table.post(*[self._report(start + place) for place in range(_CALLBACK)])
        drain = table.drain_of_one_worker
        took, spent = _timed(lambda: drain_all(drain))
        self.rows += len(world.rows(incident_deltas)) + len(world.rows(traffic_deltas))
        folding, spent_folding = _timed(lambda: maintain.fold(world.context))
        self.reports += reports
        self.seconds += took + folding
        self.cpu += spent + spent_folding
        self.parts.append(reports / (took + folding))

    def _report(self, number: int) -> dict[str, Any]:
        """Return a report on a message of its own to a person of their own, as in any campaign."""
        return report(f"{self.status}-{number}", self.status, to=f"4477{self.status:02}{number:06}")

    def forget_figures(self) -> None:
        """Begin to measure anew: what came first had to load and compile."""
        self.seconds = self.cpu = self.rows = 0
        self.parts.clear()

    def __str__(self) -> str:
        slow, fast = min(self.parts), max(self.parts)
        measured = self.reports - _CALLBACK
        rate, cpu = measured / self.seconds, self.cpu / measured * 1e6
        return f"{rate:,.0f} reports/s ({slow:,.0f} to {fast:,.0f}), {cpu:.0f} us of our CPU each"


def drain_all(drain: Drain) -> None:
    """Process what waits."""
    while drain.run(30).callbacks:
        pass


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that it took, and those of our processor time."""
    begin, spent = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - begin, time.process_time() - spent


def test_a_storm_of_one_cause_is_one_incident_and_one_notification(
    make_world: MakeWorld, target: Target, storm: int
) -> None:
    world = make_world(f'[team]\nurl = "{json_url(target)}"\n')
    table = desk(world.database, world.context.vault)
    calm, failing = Load(_DELIVERED), Load(_NO_CREDIT)
    for warm in (calm, failing):
        warm.run(world, table, _CALLBACK)
        warm.forget_figures()
    part = storm // _TURNS
    for turn in range(_TURNS):
        # Whoever comes second finds the larger tables, so they take turns at that, too.
        for load in (calm, failing) if turn % 2 else (failing, calm):
            load.run(world, table, part)
    world.clock.now = datetime.now(UTC)
    for _ in range(20):
        world.work()
    found = world.rows(incidents)
    print(
        f"\n{failing.reports:,} failing reports in, {len(found)} incident, {len(posted(target))} notification, "
        f"{failing.rows:,} rows appended\n"
        f"failing:   {failing}\ndelivered: {calm}"
    )
    assert [(row.count, row.rule) for row in found] == [(failing.reports, "account-funds")]
    assert len(posted(target)) == 1
    # What bounds the cost: a few rows for each slice, however many reports it has.
    assert failing.rows <= 3 * (storm // _CALLBACK) + 20
