"""Ports for servers that are started in a moment, and that nobody takes meanwhile."""

import os
import random
import socket
from typing import Final

# Below what Linux and macOS give to outgoing connections: one of these never takes a port between look and use.
_FIRST: Final = 18_000
_LAST: Final = 31_999
_WORKERS: Final = 7
# Who asks for two gets two, though neither is in use yet.
_given: set[int] = set()


def free_port() -> int:
    """Return a port of the loopback address that nothing uses now. Workers of pytest-xdist have ranges of their own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    size = (_LAST - _FIRST + 1) // _WORKERS
    first = _FIRST + worker * size
    port: int
    for port in random.sample(sorted({*range(first, first + size)} - _given), size - len(_given)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError("no port is free")
