"""A resend whose answer was lost is looked up, never blindly posted again."""

from typing import Any

import pytest

from tests.resend.world import World
from tests.support.infobip import AT_ONCE, send, sms


def resend(world: World, **fault: Any) -> Any:
    world.infobip.load({**AT_ONCE, "rule": [{"name": "lost", "fault": fault}]})
    world.register()
    world.fail()
    world.run(hours=2)
    world.infobip.load(AT_ONCE)
    [row] = world.rows()
    return row


def test_an_answer_that_is_dropped_after_accepting_is_found_in_the_logs(world: World) -> None:
    row = resend(world, drop="after")
    assert row.state == "unknown"

    world.run(minutes=2)

    [row] = world.rows()
    assert (row.state, row.posts) == ("accepted", 1)
    assert world.infobip.times_accepted("m-1-r1") == 1


def test_what_never_arrived_is_posted_once_more_under_the_same_id_after_three_looks(world: World) -> None:
    row = resend(world, drop="before")
    assert row.state == "unknown"
    # Something that left later shows that the logs are not merely late.
    world.register("m-2", to="447700900124", state="accepted", sent_at=world.clock())
    send(world.infobip, sms("447700900124", message_id="m-2"))

    for _ in range(6):
        world.run(minutes=16)

    [row] = world.rows()
    assert (row.state, row.posts) == ("accepted", 2)
    assert world.infobip.times_accepted("m-1-r1") == 1


def test_without_a_later_message_to_compare_with_it_is_not_posted_again(world: World) -> None:
    resend(world, drop="before")

    for _ in range(6):
        world.run(minutes=16)

    [row] = world.rows()
    assert (row.state, row.posts) == ("unknown", 1)


def test_a_report_settles_it(world: World) -> None:
    resend(world, drop="after")
    world.deliver("m-1-r1")

    assert world.states() == [(1, "accepted")]


def test_a_worker_that_died_while_sending_leaves_it_in_doubt(world: World) -> None:
    world.register()
    world.fail()
    world.clock.pass_(hours=2)
    dead = world.resender("dead")
    dead._post = _die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        dead.run(lambda: False)
    assert world.states() == [(1, "sending")]

    world.run(minutes=2)

    [row] = world.rows()
    assert (row.state, row.posts) == ("unknown", 1)
    assert world.infobip.sends() == []


def _die(ready: object) -> Any:
    raise KeyboardInterrupt


def test_too_many_requests_plans_it_again(world: World) -> None:
    row = resend(world, status=429)
    assert (row.state, row.tries, row.posts) == ("planned", 1, 0)

    world.run(minutes=20)

    assert world.states() == [(1, "accepted")]
    assert world.infobip.times_accepted("m-1-r1") == 1


@pytest.mark.parametrize(("asked", "least"), [("90s", 90), ("20m", 1200)])
def test_too_many_requests_waits_for_as_long_as_infobip_asks(world: World, asked: str, least: int) -> None:
    row = resend(world, status=429, retry_after=asked)
    assert (row.state, row.posts) == ("planned", 0)
    waits = (row.due_at - world.clock()).total_seconds()
    assert least - 20 < waits <= least
    world.run(seconds=least - 20)
    assert world.states() == [(1, "planned")]

    world.run(seconds=25)
    assert world.infobip.times_accepted("m-1-r1") == 1


def test_what_infobip_refuses_is_not_tried_again(world: World) -> None:
    row = resend(world, status=403)
    assert row.state == "refused"
