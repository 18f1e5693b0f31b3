"""Targets and installations for the tests of the relay."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from store.database import Database
from tests.relay.world import Target, World, serving

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(database: Database, database_url: str, tmp_path: Path) -> Iterator[MakeWorld]:
    """Make installations on one database, which has this release's tables."""
    with ExitStack() as opened:

        def make(relay_url: str, private: bool = True) -> World:
            world = World(database_url, tmp_path / "state", relay_url, private)
            opened.callback(world.close)
            return world

        yield make


@pytest.fixture
def target() -> Iterator[Target]:
    """An application that gets callbacks."""
    with serving() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Target]:
    """Another one."""
    with serving() as server:
        yield server


@pytest.fixture
def world(make_world: MakeWorld, target: Target) -> World:
    """An installation that passes everything on to `target`."""
    return make_world(target.url)
