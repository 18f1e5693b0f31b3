"""Callbacks that come together are committed together, and none pays for another."""

import sqlite3
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from store.errors import Unavailable
from store.inbox import Arrival
from store.sqlite import received_file
from tests.webhook.world import World
from webhook.group_commit import GroupCommit

ARRIVAL = Arrival("main", "sms", "application/json", b"{}", datetime(2026, 7, 1, tzinfo=UTC), True)


def together(group: GroupCommit, arrivals: list[Arrival]) -> list[Any]:
    """Keep all at once; return the ids or errors in the order of the arrivals."""
    found: list[Any] = [None] * len(arrivals)

    def keep(place: int) -> None:
        try:
            found[place] = group.keep(arrivals[place])
        except Exception as error:  # it is what the test asks for
            found[place] = error

    threads = [threading.Thread(target=keep, args=(place,)) for place in range(len(arrivals))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def locked(path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(received_file(str(path / "dlr.sqlite")), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_what_comes_together_takes_fewer_commits_and_each_gets_its_own_id(world: World, tmp_path: Path) -> None:
    commits: list[int] = []
    event.listen(world.database.engine, "commit", lambda connection: commits.append(1))
    group = GroupCommit(world.database, world.vault, timedelta(seconds=2))
    other = locked(tmp_path)
    threading.Timer(0.3, other.execute, ["ROLLBACK"]).start()
    numbers = together(group, [replace(ARRIVAL, body=b"%d" % place) for place in range(20)])
    other.close()
    assert {row.id: world.body(row) for row in world.kept()} == {
        number: b"%d" % place for place, number in enumerate(numbers)
    }
    assert 1 <= len(commits) <= 4


def test_one_that_cannot_be_written_harms_no_neighbour(world: World, tmp_path: Path) -> None:
    group = GroupCommit(world.database, world.vault, timedelta(seconds=2))
    bad = replace(ARRIVAL, faults=[(0, "twice"), (0, "twice")])
    other = locked(tmp_path)
    threading.Timer(0.3, other.execute, ["ROLLBACK"]).start()
    found = together(group, [ARRIVAL, bad, ARRIVAL, ARRIVAL])
    other.close()
    assert [type(one) for one in found if not isinstance(one, int)] == [type(found[1])]
    assert isinstance(found[1], Exception)
    assert (len(world.kept()), len(world.quarantined())) == (3, 0)


def test_a_locked_database_keeps_nobody_much_longer_than_its_patience(world: World, tmp_path: Path) -> None:
    group = GroupCommit(world.database, world.vault, timedelta(seconds=1))
    other = locked(tmp_path)
    started = time.monotonic()
    found = together(group, [ARRIVAL] * 8)
    took = time.monotonic() - started
    other.close()
    assert all(isinstance(one, Unavailable) for one in found)
    assert took < 2
    assert world.kept() == []
    assert isinstance(group.keep(ARRIVAL), int)


def test_large_bodies_are_not_all_written_at_once(world: World) -> None:
    group = GroupCommit(world.database, world.vault, timedelta(seconds=2))
    found = together(group, [replace(ARRIVAL, body=bytes(3 << 20))] * 6)
    assert len(set(found)) == 6
    assert len(world.kept()) == 6


@pytest.mark.parametrize("faults", [1, 50])
def test_bad_items_are_kept_with_their_callback(world: World, faults: int) -> None:
    group = GroupCommit(world.database, world.vault, timedelta(seconds=2))
    number = group.keep(replace(ARRIVAL, faults=[(place, "bad") for place in range(faults)]))
    assert [row.callback_id for row in world.quarantined()] == [number] * faults


def test_a_writer_that_is_ended_midway_leaves_nobody_waiting(world: World, tmp_path: Path) -> None:
    group = GroupCommit(world.database, world.vault, timedelta(seconds=2))
    commits: list[int] = []

    @event.listens_for(world.database.engine, "commit")
    def end_the_second(connection: object) -> None:
        commits.append(1)
        if len(commits) == 2:
            raise SystemExit

    found: list[Any] = [None] * 20

    def keep(place: int) -> None:
        try:
            found[place] = group.keep(ARRIVAL)
        except (Unavailable, SystemExit) as error:
            found[place] = error

    other = locked(tmp_path)
    threading.Timer(0.3, other.execute, ["ROLLBACK"]).start()
    threads = [threading.Thread(target=keep, args=(place,), daemon=True) for place in range(len(found))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    other.close()
    assert [thread for thread in threads if thread.is_alive()] == []
    ended, told = ([one for one in found if isinstance(one, kind)] for kind in (SystemExit, Unavailable))
    assert len(ended) == 1
    assert len(told) > 1
    assert isinstance(group.keep(ARRIVAL), int)
    assert len(world.kept()) == len(found) - len(ended) - len(told) + 1
