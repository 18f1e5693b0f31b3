"""Targets and workers do not stand in each other's way, and a crash loses nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from store import outbox
from store.database import Database
from tests.relay.conftest import MakeWorld
from tests.relay.world import Handler, Target, World, silence, status

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 7, 1, tzinfo=UTC)
# A worker as it runs, on the settings that it is given.
WORKER = """
import json, sys
from config.settings import load_settings
from workers.actions.outbox import send_outbox
from workers.context import open_context
send_outbox(open_context(load_settings(json.loads(sys.argv[1]))), 30)
"""


def test_a_dead_target_does_not_delay_a_live_one(make_world: MakeWorld, target: Target, other: Target) -> None:
    other.always = silence(30)
    world = make_world(f"{other.url} {target.url}")
    started = time.monotonic()
    for _ in range(60):
        world.arrive()
    world.send(2)
    assert len(target.seen) == 60
    assert max(seen.at for seen in target.seen) - started < 3
    assert len(other.seen) < 12


def test_many_dead_targets_do_not_delay_a_live_one(make_world: MakeWorld, target: Target, other: Target) -> None:
    other.always = silence(30)
    dead = [f"{other.url}&of={place}" for place in range(14)]
    world = make_world(" ".join([*dead, target.url]))
    for _ in range(5):
        world.arrive()
    started = time.monotonic()
    world.send(1)
    arrived = [seen.at for seen in target.seen if "of=" not in seen.path]
    assert len(arrived) == 5
    assert max(arrived) - started < 2


def test_however_much_waits_for_a_dead_target_nobody_reads_past_it(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL plans by its statistics; SQLite shows whether the index can serve")
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if "FROM outbox" in statement:
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    line = outbox.Line("relay", "t", 1, False, outbox.Circuit())
    with database.reading() as connection:
        outbox.lines(connection, ["relay", "forward"], NOW, 80)
    outbox.claim(database, line, "me", NOW, 20)
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(asked) >= 3
    for statement, parameters in asked:
        with database.reading() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        steps = [row[3] for row in plan]
        assert all("ix_outbox_line" in step for step in steps), (statement, steps)


def test_two_workers_never_send_one_callback_at_once(make_world: MakeWorld, target: Target) -> None:
    worlds = [make_world(target.url) for _ in range(3)]
    numbers = [worlds[0].arrive() for _ in range(150)]
    settled: list[int] = []
    workers = [
        threading.Thread(target=lambda sender: settled.append(sender.run(20)), args=(world.sender(),))
        for world in worlds
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {number: count for number, count in Counter(target.ids).items() if count > 1} == {}
    assert sorted(target.ids) == numbers
    assert sum(settled) == 150


def test_a_callback_whose_worker_was_killed_is_sent_again_after_the_lease(world: World, target: Target) -> None:
    target.replies = [silence(20)]
    number = world.arrive()
    worker = subprocess.Popen([sys.executable, "-c", WORKER, json.dumps(world.environ)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 20
        while not target.seen and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert target.ids == [number]
    assert world.send() == 0, "it was sent again while the killed worker's lease held"
    world.clock.now = world.rows()[0].lease_until + timedelta(seconds=1)
    assert world.send() == 1
    assert target.ids == [number, number]
    assert world.rows()[0].attempts == 2


def test_a_result_that_comes_after_its_lease_is_not_recorded(world: World) -> None:
    world.arrive()
    claimed_at = world.clock()
    line = outbox.Line("relay", world.rows()[0].target, 1, False, outbox.Circuit())
    (late,) = outbox.claim(world.database, line, "late", claimed_at, 20)
    after = claimed_at + outbox.LEASE + timedelta(seconds=1)
    (again,) = outbox.claim(world.database, line, "late", after, 20)
    with world.database.transaction() as connection:
        assert outbox.settle(connection, "late", [outbox.Settled(late, "done", after)]) == 0
    assert world.states() == ["claimed"]
    with world.database.transaction() as connection:
        assert outbox.settle(connection, "late", [outbox.Settled(again, "done", after)]) == 1


def test_what_a_worker_has_no_time_for_goes_back_uncounted(world: World, target: Target) -> None:
    def take_time(handler: Handler) -> None:
        time.sleep(0.2)
        handler.answer(200)

    target.always = take_time
    for _ in range(20):
        world.arrive()
    world.send(0.7)
    left = [row for row in world.rows() if row.state == "due"]
    assert 0 < len(left) < 20
    assert {(row.attempts, row.owner) for row in left} == {(0, "")}
    target.always = status(200)
    world.send()
    assert world.states() == ["done"] * 20
