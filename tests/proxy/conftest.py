"""Installations, and what stands behind their pass-through."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infobip.simulator import Simulator
from store.database import Database
from store.vault import Vault
from tests.proxy.upstream import Upstream, listening
from tests.proxy.world import Proxy, World
from tests.support.infobip import infobip

MakeWorld = Callable[[str], World]


@pytest.fixture
def make_world(database: Database, database_url: str, vault: Vault, tmp_path: Path) -> Iterator[MakeWorld]:
    """Make installations that send to a URL."""
    with ExitStack() as opened:

        def make(url: str) -> World:
            world = World(database_url, vault, tmp_path, url)
            opened.callback(world.close)
            return world

        yield make


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Infobip, as far as it can be had offline."""
    with infobip() as running:
        yield running


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server that keeps what comes."""
    with listening() as server:
        yield server


@pytest.fixture
def world(make_world: MakeWorld, simulator: Simulator) -> World:
    """An installation in front of the simulator."""
    return make_world(simulator.url)


@pytest.fixture
def plain(make_world: MakeWorld, upstream: Upstream) -> World:
    """An installation in front of the server that keeps what comes."""
    return make_world(upstream.url)


@pytest.fixture
def proxy() -> Iterator[Callable[..., Proxy]]:
    """Start pass-throughs as their own processes."""
    started: list[Proxy] = []

    def start(world: World, **environ: str) -> Proxy:
        started.append(Proxy(world, **environ))
        return started[-1]

    yield start
    for one in started:
        one.stop()
