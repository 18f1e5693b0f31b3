"""A callback is passed on as it came."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from config.relays import Relays
from store.inbox import Arrival, keep
from store.outbox import subjects_needed
from store.relays import take_up
from store.schema import inbox
from store.sqlite import RECEIVED
from tests.relay.conftest import MakeWorld
from tests.relay.world import BODY, HEADERS, Handler, Target, World, raw_of
from workers.actions.outbox import send_outbox
from workers.context import owner

ODD = bytes(range(256)) + b'\r\n{"a": 1e400}\xff\x00'


@pytest.mark.parametrize("body", [BODY, ODD, b"", b"x" * 3_000_001], ids=["json", "odd bytes", "empty", "3 MB"])
def test_the_body_arrives_byte_for_byte(world: World, target: Target, body: bytes) -> None:
    world.arrive(body)
    assert world.send() == 1
    assert [seen.body for seen in target.seen] == [body]
    assert world.states() == ["done"]


def test_the_headers_arrive_as_they_came_and_only_the_connection_has_its_own(world: World, target: Target) -> None:
    number = world.arrive()
    world.send()
    assert target.seen[0].headers == [
        ("Host", target.url.split("/")[2]),
        ("Content-Type", "application/json; charset=UTF-8"),
        ("User-Agent", "callback-sender/7"),
        ("X-Hub-Signature", "sha256=0a1b2c"),
        ("Authorization", "Basic Zm9vOmJhcg=="),
        ("X-DLR-Relay", str(number)),
        ("Content-Length", str(len(BODY))),
    ]
    assert target.seen[0].path == "/dlr?key=k3y"


def test_headers_beyond_ascii_arrive_as_they_came(world: World, target: Target) -> None:
    world.arrive(headers={"X-Name": "caf\xe9"})
    world.send()
    assert target.seen[0].header("X-Name") == "caf\xe9"


def test_a_body_that_the_inbox_holds_unpacked_arrives_packed_as_it_came(world: World, target: Target) -> None:
    packed = gzip.compress(BODY)
    headers = {**HEADERS, "Content-Encoding": "gzip"}
    world.arrive(BODY, came=raw_of(packed, headers))
    world.send()
    assert target.seen[0].body == packed
    assert target.seen[0].header("Content-Encoding") == "gzip"
    assert world.rows()[0].payload is None, "a copy that nobody needs any more is kept"


def test_every_target_gets_it_once(make_world: MakeWorld, target: Target, other: Target) -> None:
    world = make_world(f"{target.url} {other.url}")
    numbers = [world.arrive() for _ in range(3)]
    assert world.send() == 6
    assert world.send() == 0
    assert target.ids == numbers
    assert other.ids == numbers


def test_a_callback_is_queued_once_however_often_and_by_however_many_it_is_taken_up(world: World) -> None:
    number = world.arrive(queued=False)
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda _: world.take_up(), range(8)):
            pass
    assert [row.subject for row in world.rows()] == [number]


def test_nothing_is_queued_when_the_callback_is_not_kept(world: World) -> None:
    arrival = Arrival("main", "sms", "", BODY, world.clock(), True, relayed=True)
    with pytest.raises(ZeroDivisionError), world.database.transaction(RECEIVED) as connection:  # noqa: PT012 - one transaction
        keep(connection, world.context.vault, arrival)
        raise ZeroDivisionError
    assert world.take_up() == []


def test_what_the_endpoint_wanted_passed_on_and_no_worker_has_a_target_for_is_said(world: World) -> None:
    world.arrive(queued=False)
    world.arrive(queued=False)
    assert take_up(world.database, Relays()) == 2
    assert world.take_up() == []


def test_many_are_taken_up_in_parts_so_that_sending_goes_on_meanwhile(world: World) -> None:
    arrival = Arrival("main", "sms", "", b"{}", world.clock(), True, relayed=True)
    with world.database.transaction(RECEIVED) as connection:
        numbers = [keep(connection, world.context.vault, arrival) for _ in range(2_010)]
    assert [len(world.take_up()) for _ in range(2)] == [2_000, 2_010]
    assert [row.subject for row in world.rows()] == numbers


def test_what_came_since_is_taken_up_by_whoever_sends(world: World, target: Target) -> None:
    numbers = [world.arrive(queued=False) for _ in range(3)]
    assert world.rows() == []
    assert world.send() == 3
    assert target.ids == numbers


def test_whoever_is_killed_while_taking_up_leaves_nothing_out_and_nothing_twice(world: World, target: Target) -> None:
    number = world.arrive()
    with world.database.transaction() as connection:  # queued, and the mark still there
        connection.execute(update(inbox).values(relaying=1))
    world.send()
    assert target.ids == [number]
    with world.database.transaction() as connection:
        connection.execute(update(inbox).values(relaying=1))
    world.send()
    assert target.ids == [number]


def test_no_secret_of_a_target_reaches_the_database(world: World) -> None:
    world.arrive()
    assert "k3y" not in world.rows()[0].target


def test_callbacks_share_a_connection(world: World, target: Target) -> None:
    for _ in range(15):
        world.arrive()
    world.send()
    assert len(target.seen) == 15
    assert target.connections == 1


def test_a_target_that_hangs_up_after_each_answer_still_gets_all(world: World, target: Target) -> None:
    def answer_and_hang_up(handler: Handler) -> None:
        handler.answer(204, body=b"")
        handler.close_connection = True  # without having said so

    target.always = answer_and_hang_up
    numbers = [world.arrive() for _ in range(10)]
    world.send()
    assert target.ids == numbers


def test_the_oldest_goes_first(world: World, target: Target) -> None:
    numbers = []
    for _ in range(20):
        numbers.append(world.arrive())
        world.clock.later(seconds=1)
    world.send()
    assert target.ids == numbers


def test_a_backlog_goes_out_side_by_side(world: World, target: Target) -> None:
    numbers = [world.arrive() for _ in range(200)]
    world.send()
    assert sorted(target.ids) == numbers
    assert 2 <= target.connections <= 30


def test_a_callback_is_needed_until_it_is_passed_on(world: World, target: Target) -> None:
    number = world.arrive()
    with world.database.reading() as connection:
        assert connection.execute(subjects_needed("relay")).scalars().all() == [number]
    world.send()
    with world.database.reading() as connection:
        assert connection.execute(subjects_needed("relay")).scalars().all() == []


def test_a_callback_that_goes_in_a_circle_is_stopped(world: World, target: Target) -> None:
    world.arrive(headers={"X-DLR-Relay": "11, 12"})
    world.arrive(headers={"x-dlr-relay": "11, 12, 13"})
    world.send()
    assert len(target.seen) == 1
    assert sorted(world.states()) == ["done", "given_up"]
    assert any("goes in a circle" in title for title in world.opened())


def test_a_callback_that_is_kept_no_longer_is_given_up(world: World, target: Target) -> None:
    world.arrive()
    world.change(subject=1)
    world.send()
    assert target.seen == []
    assert world.rows()[0].last_error == "the callback is kept no longer"


def test_one_row_that_cannot_be_read_does_not_hold_back_the_others(world: World, target: Target) -> None:
    broken = world.arrive()
    world.change(payload=b"sealed by nobody")
    good = world.arrive()
    world.send()
    assert target.ids == [good]
    assert {row.subject: row.state for row in world.rows()} == {broken: "due", good: "done"}
    assert any("error in our own code" in title for title in world.opened())


def test_the_task_sends_what_is_due(world: World, target: Target) -> None:
    world.arrive()
    world.context.owner = owner()
    assert send_outbox(world.context, 5) == 1
    assert len(target.seen) == 1


def test_forwarded_events_without_a_route_are_given_up_and_told_once(world: World) -> None:
    world.arrive()
    world.arrive()
    world.change(kind="forward", target="crm", due_at=world.clock() - timedelta(seconds=1))
    assert world.send() == 2
    assert {(row.state, row.last_error) for row in world.rows()} == {("given_up", "no forward route of that name")}
    assert list(world.opened()) == ["Events for the forward route 'crm' were given up: no forward route of that name"]


def test_rows_of_a_kind_of_a_newer_release_are_left_alone(world: World) -> None:
    world.arrive()
    world.change(kind="carrier-pigeon")
    assert world.send() == 0
    assert world.states() == ["due"]
