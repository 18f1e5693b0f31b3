"""A severity that nobody foresaw is told as the gravest one, and stops no other notification."""

import json

import pytest

from store.schema import incidents
from tests.alerts.conftest import MakeWorld
from tests.alerts.world import World, base_url, json_url, posted, titles
from tests.relay.world import Target


@pytest.fixture
def world(make_world: MakeWorld, target: Target) -> World:
    """An installation that tells of warnings and graver things."""
    return make_world(f'[team]\nurl = "{json_url(target)}"\nseverity = "warning"\n')


def test_what_a_part_calls_an_error_is_told_as_critical(world: World, target: Target) -> None:
    world.see("a", title="A", severity="error")
    world.see("b", title="B", severity="warning")
    world.work()
    assert sorted(titles(target)) == ["[critical] A", "[warning] B"]


def test_what_an_earlier_release_wrote_down_is_told_as_well(world: World, target: Target) -> None:
    world.see("a", title="A", severity="warning")
    world.fold()
    with world.database.transaction() as connection:
        connection.execute(incidents.update().values(severity="error"))
    world.see("b", title="B", severity="warning")
    world.later(hours=25)
    world.see("a", title="A", severity="warning")
    world.work()
    assert {"[warning] A", "[warning] B"} <= set(titles(target))


def test_alertmanager_hears_of_it(make_world: MakeWorld, target: Target) -> None:
    world = make_world(f'[am]\nalertmanager = "{base_url(target)}"\nseverity = "critical"\n')
    world.see("a", severity="error")
    world.work()
    assert "critical" in json.dumps(posted(target))
