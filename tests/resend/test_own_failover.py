"""What Infobip itself goes on with is not sent again beside it."""

from typing import Any

import pytest

from store.schema import contents
from tests.resend.test_steering import sent
from tests.resend.world import World


def test_a_failed_step_that_names_no_channel_is_not_resent_while_another_may_follow(world: World) -> None:
    world.register(failover=("viber",))
    world.fail()
    world.run(hours=2)

    assert world.states() == []
    assert sent(world.infobip) == []


def test_the_failure_of_the_last_step_is_resent(world: World) -> None:
    world.register(channel="viber", failover=("sms",))
    world.fail()
    world.run(hours=2)

    assert sent(world.infobip) == ["m-1-r1"]


@pytest.mark.parametrize("named", [{}, {"channel": "SMS"}])
def test_a_send_that_is_registered_after_its_first_step_failed_is_asked_what_may_follow(
    world: World, named: dict[str, Any]
) -> None:
    world.fail(**named)
    world.register(failover=("viber",))
    world.run(minutes=30)
    assert sent(world.infobip) == []
    assert [row.note for row in world.rows()] == ["what was sent before may still arrive"] * (not named)

    world.deliver(channel="VIBER_BM")
    assert {state for _, state in world.states()} <= {"cancelled"}


def test_once_the_last_step_has_failed_too_what_waited_for_it_leaves(world: World) -> None:
    world.fail()
    world.register(failover=("viber",))
    world.run(minutes=30)
    world.fail(channel="VIBER_BM")
    world.run(minutes=30)

    assert sent(world.infobip) == ["m-1-r1"]


def test_what_it_says_is_kept_for_the_last_step_whose_failure_is_resent(world: World) -> None:
    world.register(failover=("viber",))
    world.fail()
    assert len(world.desk.rows(contents)) == 1
    world.fail(channel="VIBER_BM")
    world.run(minutes=30)

    assert sent(world.infobip) == ["m-1-r1"]
