"""Ids made by the writer: ordered by time, so that no row has to be read back after an insert."""

import os
import threading
import time

_SEQUENCE_BITS = 22
_lock = threading.Lock()
_last = 0


def new_ids(count: int) -> range:
    """Return `count` consecutive ids of 63 bits: milliseconds since 1970 above, a sequence with a random start below.

    Ids of one process never repeat. Two processes could meet in the same millisecond once in thousands of years of
    full load; the primary key then refuses, and the writer repeats its batch.
    """
    global _last
    start = time.time_ns() // 1_000_000 << _SEQUENCE_BITS | int.from_bytes(os.urandom(3)) >> 4
    with _lock:
        start = max(start, _last + 1)
        _last = start + count
    return range(start, start + count)


def first_id_of(moment_ms: int) -> int:
    """Return the smallest id that can have been made at `moment_ms`: ids below it are older."""
    return moment_ms << _SEQUENCE_BITS


def new_id() -> int:
    """Return one id."""
    return new_ids(1)[0]
