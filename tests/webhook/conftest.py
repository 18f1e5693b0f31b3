import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.logs import set_up_logs
from tests.webhook.world import Broker, Endpoint, World


@pytest.fixture(autouse=True, scope="session")
def logs() -> Iterator[None]:
    """Log as the processes do."""
    before = logging.getLogger().handlers[:]
    set_up_logs("json")
    yield
    logging.getLogger().handlers[:] = before


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def endpoint(world: World, tmp_path: Path) -> Iterator[Callable[..., Endpoint]]:
    """Start the endpoint as its own processes, on the database of `world`."""
    started: list[Endpoint] = []

    def start(*command: str, **environ: str) -> Endpoint:
        started.append(Endpoint(tmp_path, *command, **environ))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def broker() -> Iterator[Broker]:
    # Not in tmp_path: a socket's path may have 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix="dlr-"))
    made = Broker(folder)
    yield made
    made.stop()
    shutil.rmtree(folder)
