"""Installations with alert routes, and what they tell."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from store.database import Database
from tests.alerts.world import Mail, World, json_url, mailing
from tests.relay.world import Target, serving

MakeWorld = Callable[[str], World]


@pytest.fixture
def make_world(database: Database, database_url: str, tmp_path: Path) -> Iterator[MakeWorld]:
    """Make installations on one database, which has this release's tables."""
    with ExitStack() as opened:

        def make(routes: str) -> World:
            world = World(database_url, tmp_path / "state", routes)
            opened.callback(world.close)
            return world

        yield make


@pytest.fixture
def target() -> Iterator[Target]:
    """A service that is told of incidents."""
    with serving() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Target]:
    """Another one."""
    with serving() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[Mail]:
    """A real SMTP server."""
    with mailing() as server:
        yield server


@pytest.fixture
def world(make_world: MakeWorld, target: Target) -> World:
    """An installation that tells `target` of everything."""
    return make_world(f'[team]\nurl = "{json_url(target)}"\n')


@pytest.fixture
def storm(pytestconfig: pytest.Config) -> int:
    """How many reports a storm has: `--storm`."""
    found = pytestconfig.getoption("--storm")
    assert isinstance(found, int)
    return found
