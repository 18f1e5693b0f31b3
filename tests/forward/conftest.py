"""Worlds for the tests of events, on each kind of database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from store.database import Database
from tests.forward.world import World
from tests.relay.world import Target, serving

MakeWorld = Callable[[str], World]


@pytest.fixture
def make_world(database: Database, database_url: str, tmp_path: Path) -> Iterator[MakeWorld]:
    """Make installations on one database, with DLR_FORWARD as given."""
    with ExitStack() as opened:

        def make(toml: str) -> World:
            world = World(database_url, tmp_path, toml)
            opened.callback(world.close)
            return world

        yield make


@pytest.fixture
def target() -> Iterator[Target]:
    """The customer's own system."""
    with serving() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Target]:
    """Another one."""
    with serving() as server:
        yield server
