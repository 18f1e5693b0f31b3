"""A storm of one cause is one incident and one notification, and costs no more than the same load without failures.

`--storm 100000` makes it as large as that, and `-s` shows its figures; by itself it is small enough for every run.
"""

import time

from store.schema import incident_deltas, incidents, traffic_deltas
from tests.alerts.conftest import MakeWorld
from tests.alerts.world import World, json_url, posted
from tests.relay.world import Target
from tests.support.desk import desk, report

_CALLBACK = 100


def load(world: World, status: int, reports: int, name: str) -> float:
    """Keep and drain so many reports; return how many a second the drain took."""
    table = desk(world.database, world.context.vault)
    for start in range(0, reports, _CALLBACK):
        table.post(*[report(f"{name}-{start + place}", status) for place in range(_CALLBACK)])
    begin = time.monotonic()
    while table.drain().callbacks:
        pass
    return reports / (time.monotonic() - begin)


def test_a_storm_of_one_cause_is_one_incident_and_one_notification(
    make_world: MakeWorld, target: Target, storm: int
) -> None:
    world = make_world(f'[team]\nurl = "{json_url(target)}"\n')
    load(world, 5, 1_000, "warm")
    calm = load(world, 5, storm, "calm")
    failing = load(world, 12, storm, "storm")
    rows = len(world.rows(incident_deltas))
    for _ in range(20):
        world.work()
    found = world.rows(incidents)
    print(
        f"\n{storm} reports in, {len(found)} incident, {len(posted(target))} notification, {rows} rows appended, "
        f"{failing:.0f} reports/s failing beside {calm:.0f} reports/s delivered"
    )
    assert [(row.count, row.rule) for row in found] == [(storm, "account-funds")]
    assert len(posted(target)) == 1
    # What bounds the cost: a row for each slice at most, however many reports it has.
    assert rows <= storm // _CALLBACK
    assert len(world.rows(traffic_deltas)) <= 2 * (storm // _CALLBACK) + 20
