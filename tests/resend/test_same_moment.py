"""What is being written while a resend is about to leave, what a killed worker leaves, and whose account it is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from config.secrets import Secret
from store import resending
from store.database import open_database
from store.schema import retries
from tests.resend.world import PERSON, World, date_of
from tests.support.desk import report
from tests.support.infobip import AT_ONCE, infobip
from workers.actions.resend.outlets import Outlets
from workers.actions.resend.resender import Resender

STOP = {"messageId": "in-1", "from": PERSON, "to": "Shop", "text": "STOP", "receivedAt": ""}


@contextmanager
def about_to_commit(world: World, item: dict[str, Any]) -> Iterator[threading.Event]:
    """Let a worker have everything that follows from `item` written and not committed until the event is set."""
    url = world.desk.database.engine.url.render_as_string(hide_password=False)
    slow = replace(world.desk, database=open_database(url, synchronous="NORMAL"))
    wrote, go = threading.Event(), threading.Event()

    @event.listens_for(slow.database.engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("INSERT INTO decisions") or "UPDATE retries" in statement:
            wrote.set()

    @event.listens_for(slow.database.engine, "commit")
    def wait(connection: object) -> None:
        if wrote.is_set():
            go.wait(20)

    slow.post(item)
    worker = threading.Thread(target=slow.drain)
    worker.start()
    assert wrote.wait(20)
    try:
        yield go
    finally:
        go.set()
        worker.join(30)
        slow.database.close()


@pytest.mark.parametrize("said", ["delivered", "stop"])
def test_what_is_being_written_as_it_leaves_is_waited_for_and_heard(world: World, said: str) -> None:
    world.register()
    world.fail()
    world.clock.pass_(hours=2)
    now = date_of()
    item = report("m-1", doneAt=now) if said == "delivered" else STOP | {"receivedAt": now}
    [one] = resending.claim(world.desk.database, "resender", world.clock(), 1)
    with about_to_commit(world, item) as go:
        worker = threading.Thread(target=world.resender().send, args=(one,))
        worker.start()
        worker.join(0.5)
        assert worker.is_alive()
        go.set()
        worker.join(30)

    assert world.infobip.sends() == []
    assert world.states() == [(1, "cancelled")]


def test_what_a_killed_worker_had_only_claimed_is_planned_again_and_leaves_once(world: World) -> None:
    world.register()
    world.fail()
    world.clock.pass_(hours=2)
    resending.claim(world.desk.database, "killed", world.clock(), 10)
    world.run()
    assert world.states() == [(1, "claimed")]
    world.run(seconds=91)

    assert world.states() == [(1, "accepted")]
    assert world.infobip.times_accepted("m-1-r1") == 1


class TestEachAccount:
    """Its resends leave with its own credential to its own base URL, within its own budget."""

    @pytest.fixture
    def other(self, world: World) -> Iterator[World]:
        with infobip(AT_ONCE, api_key="key-of-the-shop") as simulator:
            own = replace(world.account, name="shop", base_url=simulator.url, key=Secret("key-of-the-shop"))
            yield replace(world, infobip=simulator, account=own)

    def run(self, *worlds: World, hours: int = 2) -> None:
        [first, *_] = worlds
        first.clock.pass_(hours=hours)
        plain = first.outlets()
        outlets = Outlets({one.account.name: one.account for one in worlds}, "", first.desk.vault, plain._transport)
        rules = first.desk.rules
        Resender(
            first.desk.database, first.desk.vault, lambda: rules, outlets, first.limiter, "resender", first.clock
        ).run(lambda: False)

    def test_has_its_own_way_out(self, world: World, other: World) -> None:
        for one in (world, other):
            one.register()
            one.desk.handle(report("m-1", 9, 27, doneAt=date_of()), account=one.account.name)
        self.run(world, other)

        assert [len(one.infobip.sends()) for one in (world, other)] == [1, 1]
        assert {(row.account, row.state) for row in world.desk.rows(retries)} == {
            ("main", "accepted"),
            ("shop", "accepted"),
        }

    def test_has_its_own_budget(self, world: World, other: World) -> None:
        world.account = replace(world.account, resends_per_day=1)
        other.account = replace(other.account, resends_per_day=3)
        for one in (world, other):
            for number in range(3):
                to = f"44770090040{number}"
                one.register(f"m-{number}", to=to)
                item = report(f"m-{number}", 9, 27, to=to, doneAt=date_of())
                one.desk.handle(item, account=one.account.name)
        self.run(world, other)

        assert [len(one.infobip.sends()) for one in (world, other)] == [1, 3]
