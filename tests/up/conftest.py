"""What the tests of `dlr up` share."""

from pathlib import Path

import pytest

from tests.support import ports
from tests.up.runs import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a place to make and supervise small programs."""
    return Bench(tmp_path)


@pytest.fixture
def free_port() -> int:
    """Return a port that nothing listens on."""
    return ports.free_port()
