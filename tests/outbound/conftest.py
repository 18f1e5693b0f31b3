"""A server that does to a connection whatever a test wants of it."""

from collections.abc import Iterator

import pytest

from tests.outbound.wire_server import WireServer, wire_server


@pytest.fixture
def server() -> Iterator[WireServer]:
    with wire_server() as made:
        yield made
