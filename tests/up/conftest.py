"""What the tests of `dlr up` share."""

import socket
from pathlib import Path

import pytest

from tests.up.runs import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a place to make and supervise small programs."""
    return Bench(tmp_path)


@pytest.fixture
def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
