"""A target that does not take a callback gets it later, for 42 hours."""

import socket
import time
from datetime import timedelta

import pytest

from tests.relay.conftest import MakeWorld
from tests.relay.world import HASTE, Handler, Target, World, silence, status


def minutes_until_due(world: World) -> float:
    return float((world.rows()[0].due_at - world.clock()) / timedelta(minutes=1))


def test_a_target_that_is_back_gets_what_it_missed(world: World, target: Target) -> None:
    target.replies = [status(503)]
    number = world.arrive()
    assert world.send() == 0
    assert world.states() == ["due"]
    assert world.rows()[0].last_error == "it answered 503"
    world.clock.later(minutes=2)
    assert world.send() == 1
    assert target.ids == [number, number]
    assert world.states() == ["done"]


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_trouble_for_now_is_tried_again_on_infobips_schedule(world: World, target: Target, code: int) -> None:
    target.always = status(code)
    world.arrive()
    for minutes in (1, 2, 5, 10, 17, 26):
        world.send()
        assert minutes * 0.8 <= minutes_until_due(world) <= minutes * 1.2
        world.clock.later(minutes=minutes * 1.2)
    assert len(target.seen) == 6


@pytest.mark.parametrize("code", [301, 400, 401, 404, 410, 422])
def test_what_is_refused_is_offered_more_slowly_and_told_after_several(world: World, target: Target, code: int) -> None:
    target.always = status(code)
    world.arrive()
    for attempt, minutes in enumerate((5, 10, 25, 50, 85)):
        assert world.opened() == {}, f"an incident after {attempt} refusals"
        world.send()
        assert minutes * 0.8 <= minutes_until_due(world) <= minutes * 1.2
        world.clock.later(minutes=minutes * 1.2)
    (title,) = world.opened()
    assert title.startswith(f"Callbacks are refused by http://127.0.0.1:{target.server_address[1]}: it answered {code}")
    assert world.states() == ["due"]


def test_a_refused_callback_does_not_hold_back_the_others(world: World, target: Target) -> None:
    target.replies = [status(422)] * 5
    for _ in range(10):
        world.arrive()
    assert world.send() == 5
    assert sorted(world.states()) == ["done"] * 5 + ["due"] * 5


def test_a_redirect_is_not_followed(make_world: MakeWorld, target: Target, other: Target) -> None:
    world = make_world(target.url)
    target.always = status(302, Location=other.url)
    world.arrive()
    world.send()
    assert len(target.seen) == 1
    assert other.seen == []
    assert "redirects are not followed" in world.rows()[0].last_error


def test_retry_after_holds_back_all_that_waits_for_the_target(world: World, target: Target) -> None:
    target.replies = [status(429, Retry_After="3600")]
    first, second = world.arrive(), None
    world.send()
    second = world.arrive()
    world.clock.later(minutes=59)
    world.send()
    assert target.ids == [first]
    world.clock.later(minutes=2)
    world.send()
    assert sorted(target.ids) == [first, first, second]


def test_retry_after_as_a_date_is_honoured(world: World, target: Target) -> None:
    when = (world.clock() + timedelta(hours=2)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    target.replies = [status(503, Retry_After=when)]
    world.arrive()
    world.send()
    assert 119 <= minutes_until_due(world) <= 121


@pytest.mark.parametrize("nonsense", ["soon", "-5", "", "99999999999999999999999999999"])
def test_a_senseless_retry_after_cannot_lose_a_callback(world: World, target: Target, nonsense: str) -> None:
    target.replies = [status(503, Retry_After=nonsense)]
    world.arrive()
    world.send()
    assert 0.8 <= minutes_until_due(world) <= 361
    world.clock.later(hours=7)
    assert world.send() == 1


def test_a_target_that_does_not_answer_is_left_after_its_time(world: World, target: Target) -> None:
    target.always = silence(5)
    world.arrive()
    started = time.monotonic()
    assert world.send() == 0
    assert time.monotonic() - started < HASTE.total
    assert world.rows()[0].last_error == "it took too long"


def test_an_answer_that_drips_is_left_after_its_time(world: World, target: Target) -> None:
    def drip(handler: Handler) -> None:
        handler.close_connection = True
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 3:
            handler.wfile.write(bytes([byte]))
            if handler.server.released.wait(0.1):
                return

    target.always = drip
    world.arrive()
    started = time.monotonic()
    assert world.send() == 0
    assert time.monotonic() - started < HASTE.total
    assert world.rows()[0].last_error == "it took too long"


def test_an_answer_without_end_is_not_read(world: World, target: Target) -> None:
    def flood(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        for _ in range(10_000):
            handler.wfile.write(b"x" * 65_536)

    target.always = flood
    world.arrive()
    started = time.monotonic()
    assert world.send() == 1
    assert time.monotonic() - started < 3


def test_a_slow_rest_of_a_good_answer_does_not_make_it_bad(world: World, target: Target) -> None:
    def promise_more(handler: Handler) -> None:
        handler.answer(200, {"Content-Length": "100"})
        handler.server.released.wait(3)

    target.always = promise_more
    world.arrive()
    assert world.send() == 1


def test_an_answer_that_is_not_http_is_trouble(world: World, target: Target) -> None:
    def mumble(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    target.always = mumble
    world.arrive()
    assert world.send() == 0
    assert "not HTTP" in world.rows()[0].last_error


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_dead_target_gets_probes_only_and_a_person_hears_of_it_once(make_world: MakeWorld) -> None:
    world = make_world(f"http://127.0.0.1:{closed_port()}/")
    for _ in range(50):
        world.arrive()
    for _ in range(60):
        world.send()
        world.clock.later(minutes=1)
    attempts = sum(row.attempts for row in world.rows())
    assert 8 <= attempts <= 15, "an hour of probes, ten minutes apart in the end"
    assert set(world.states()) == {"due"}
    (title,) = world.opened()
    assert "cannot be passed on" in title
    assert "Connection refused" in title


def test_a_short_restart_of_the_target_troubles_nobody(world: World, target: Target) -> None:
    target.replies = [status(502)] * 3
    for _ in range(10):
        world.arrive()
    world.send()
    world.clock.later(minutes=2)
    world.send()
    world.clock.later(minutes=2)
    world.send()
    assert world.states() == ["done"] * 10
    assert world.opened() == {}


def test_what_waited_goes_out_as_soon_as_a_probe_succeeds(world: World, target: Target) -> None:
    target.always = status(500)
    for _ in range(100):
        world.arrive()
    for _ in range(12):
        world.send()
        world.clock.later(minutes=13)
    target.always = status(200)
    before = len(target.seen)
    world.send()
    assert before < 20
    assert world.states().count("done") >= 90, "a probe succeeded, and what waited did not follow at once"


def test_after_42_hours_it_is_given_up_and_a_person_hears_of_it(world: World, target: Target) -> None:
    target.always = status(500)
    world.arrive()
    arrived = world.clock()
    last = arrived
    while world.states() == ["due"]:
        seen = len(target.seen)
        world.send()
        last = world.clock() if len(target.seen) > seen else last
        world.clock.later(minutes=15)
        assert world.clock() - arrived < timedelta(hours=43), "it is tried without end"
    assert world.states() == ["given_up"]
    assert timedelta(hours=41) < last - arrived <= timedelta(hours=42)
    assert 15 <= len(target.seen) <= 30
    assert any(one.severity == "critical" and "were given up" in title for title, one in world.opened().items())


def test_what_waited_behind_a_dead_target_is_given_up_after_42_hours_too(world: World, target: Target) -> None:
    target.always = status(500)
    for _ in range(30):
        world.arrive()
    world.send()
    world.send()
    world.send()
    world.clock.later(hours=42, minutes=1)
    world.send()
    assert world.states() == ["given_up"] * 30
    assert len(target.seen) <= 6
    lost = [one for title, one in world.opened().items() if "were given up" in title]
    assert [one.count for one in lost] == [30]


def test_a_corrected_url_takes_over_what_waited_for_the_wrong_one(
    make_world: MakeWorld, target: Target, other: Target
) -> None:
    before = make_world(f"{other.url} http://127.0.0.1:{closed_port()}/")
    numbers = [before.arrive() for _ in range(3)]
    before.send()
    after = make_world(f"{other.url} {target.url}")
    after.clock.later(minutes=5)
    after.send()
    after.send()
    assert sorted(target.ids) == numbers
    assert other.ids == numbers, "a target that had the callbacks all along got them again"
    assert sorted(after.states()) == ["done"] * 6 + ["given_up"] * 3


def test_a_target_that_was_taken_out_gets_nothing_more(make_world: MakeWorld, target: Target) -> None:
    before = make_world(target.url)
    before.arrive()
    after = make_world("")
    after.send()
    assert target.seen == []
    assert after.states() == ["given_up"]
