"""A simulator and somebody who gets its callbacks."""

import threading
from collections.abc import Iterator

import pytest

from infobip.simulator import Simulator
from tests.simulator.receiver import Receiver
from tests.support.infobip import AT_ONCE, infobip


@pytest.fixture(scope="package")
def _running() -> Iterator[Simulator]:
    with infobip() as running:
        yield running


@pytest.fixture
def simulator(_running: Simulator) -> Simulator:
    """A simulated Infobip in which everything is delivered at once, and reports wait to be fetched."""
    _running.load(AT_ONCE)
    _running.reset()
    return _running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An application's own endpoint."""
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
