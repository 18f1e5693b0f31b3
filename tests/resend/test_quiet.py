"""Quiet hours are those of the place where the person lives, in every place where that may be."""

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from store.schema import retries
from tests.resend.test_steering import sent
from tests.resend.world import World
from tests.support.infobip import sms

RUSSIA = "79161234567"
BRITAIN = "447700900123"
SATELLITE = "881612345678"
KAMCHATKA = ZoneInfo("Asia/Kamchatka")
MOSCOW = ZoneInfo("Europe/Moscow")
LONDON = ZoneInfo("Europe/London")


def night_now(zone: ZoneInfo, world: World) -> tuple[time, time]:
    """Return quiet hours that hold just now in this zone, and for less than two hours more."""
    local = world.clock().astimezone(zone).replace(second=0, microsecond=0)
    return (local - timedelta(minutes=30)).time(), (local + timedelta(minutes=90)).time()


def due_now(world: World, to: str, night: ZoneInfo, **account: object) -> None:
    account = {"quiet": night_now(night, world), **account}
    world.account = replace(world.account, **account)  # type: ignore[arg-type]
    world.register(to=to, request=sms(to=to, message_id="m-1"))
    world.fail(to=to)
    with world.desk.database.transaction() as connection:
        connection.execute(update(retries).values(due_at=world.clock(), give_up_at=world.clock() + timedelta(days=3)))


@pytest.mark.parametrize("zone", [KAMCHATKA, MOSCOW])
def test_a_number_that_may_be_in_several_zones_waits_for_all_of_them(world: World, zone: ZoneInfo) -> None:
    due_now(world, RUSSIA, zone)
    world.run()

    [row] = world.rows()
    assert (row.state, row.note) == ("planned", "it is night where the person lives")
    assert sent(world.infobip) == []
    woken = row.due_at - world.clock()
    assert timedelta(hours=1) < woken < timedelta(hours=24)
    world.clock.ahead += row.due_at - world.clock() + timedelta(seconds=1)
    world.run()
    assert sent(world.infobip) == ["m-1-r1"]


def test_where_it_is_day_it_leaves_whatever_the_time_is_at_the_accounts_own_place(world: World) -> None:
    elsewhere = ZoneInfo("Pacific/Auckland")
    due_now(world, BRITAIN, elsewhere, zone=elsewhere)
    world.run()
    assert sent(world.infobip) == ["m-1-r1"]


@pytest.mark.parametrize(("zone", "leaves"), [(KAMCHATKA, False), (LONDON, True)])
def test_where_nobody_knows_the_place_the_accounts_own_counts(world: World, zone: ZoneInfo, leaves: bool) -> None:
    due_now(world, SATELLITE, KAMCHATKA, zone=zone)
    world.run()
    assert sent(world.infobip) == (["m-1-r1"] if leaves else [])


def test_a_one_time_code_is_never_moved_by_the_night(world: World) -> None:
    world.account = replace(world.account, quiet=night_now(LONDON, world))
    world.register(purpose="otp", not_after=world.clock() + timedelta(hours=3))
    world.fail()
    with world.desk.database.transaction() as connection:
        connection.execute(update(retries).values(due_at=world.clock()))
    world.run()
    assert sent(world.infobip) == ["m-1-r1"]
