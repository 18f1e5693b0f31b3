"""Whom somebody enters as wanting no more gets nothing that is planned, and what it would say is erased at once."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from store import entering, sends
from store.entering import Wanted
from store.schema import contents, suppressions
from store.schema import sends as sends_table
from store.suppressions import lift
from tests.resend.test_steering import sent
from tests.resend.world import PERSON, World, date_of
from tests.support.desk import report
from tests.support.dlr import Dlr

OTHER = "447700900456"


@pytest.fixture(autouse=True)
def three_messages(world: World) -> None:
    """One that failed, one that nothing is known of yet, and one of somebody else."""
    world.register("m-1")
    world.fail("m-1")
    world.register("m-2")
    world.register("m-3", to=OTHER)
    world.fail("m-3", to=OTHER)


def enter(world: World, hours: int = 0, **more: Any) -> None:
    more |= {"until": datetime.now(UTC) + timedelta(hours=hours)} if hours else {}
    wanted = [Wanted("main", "+44 7700 900123", **more), Wanted("main", "447700900777", **more)]
    database, vault, now = world.desk.database, world.desk.vault, datetime.now(UTC)
    database.repeat(lambda connection: entering.enter(connection, vault, wanted, now, "shop", "api"))


@pytest.mark.parametrize(
    "entry",
    [
        {"cause": "recipient_opted_out"},
        {"cause": "recipient_opted_out", "channel": "sms", "sender": "Shop"},
        {"cause": "recipient_complained", "channel": "email"},
        {"cause": "recipient_dnd", "purpose": "marketing", "hours": 2160},
        {},
    ],
    ids=str,
)
def test_what_was_planned_and_kept_for_the_person_is_gone_at_once(world: World, entry: dict[str, Any]) -> None:
    enter(world, **entry)

    found = {row.recipient: (row.state, row.note) for row in world.rows()}
    person, other = (world.desk.vault.hash_address("main", one) for one in (PERSON, OTHER))
    assert found == {person: ("cancelled", "the person wants no more"), other: ("planned", "")}
    assert len(world.desk.rows(contents)) == 1
    world.run(hours=2)
    assert sent(world.infobip) == ["m-3-r1"]


@pytest.mark.parametrize(
    "entry",
    [
        {"channel": "email"},
        {"sender": "Bank"},
        {"hours": 1},
        {"cause": "recipient_unknown", "channel": "voice"},
        {"cause": "recipient_dnd", "purpose": "marketing", "hours": -1},
        {"cause": "recipient_opted_out", "hours": -1},
    ],
    ids=str,
)
def test_what_is_over_or_does_not_stop_everything_for_good_leaves_them_to_the_last_moment(
    world: World, entry: dict[str, Any]
) -> None:
    enter(world, **entry)
    assert [row.state for row in world.rows()] == ["planned", "planned"]
    assert len(world.desk.rows(contents)) == 3


def test_an_import_of_thousands_does_so_too(world: World) -> None:
    wanted = [Wanted("main", str(447_700_000_000 + number)) for number in range(1_200)] + [Wanted("main", PERSON)]
    database, vault, now = world.desk.database, world.desk.vault, datetime.now(UTC)
    database.repeat(lambda connection: entering.enter(connection, vault, wanted, now, "ada", "import"))
    assert sorted(row.state for row in world.rows()) == ["cancelled", "planned"]
    assert len(world.desk.rows(contents)) == 1


def test_people_to_whom_very_much_was_sent_are_silenced_too(world: World) -> None:
    [content] = [row.content for row in world.desk.rows(sends_table) if row.message_id == "m-2"]
    more = range(content + 1, content + 66_000)
    with world.desk.database.transaction() as connection:
        if world.desk.database.is_sqlite:
            # Its default; some builds of it take more.
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
        sends.erase(connection, [content, *more])
    assert len(world.desk.rows(contents)) < 3


def is_left_alone(world: World) -> bool:
    return [row.state for row in world.rows()] == ["planned", "planned"] and len(world.desk.rows(contents)) == 3


def test_an_import_of_what_has_ended_takes_nothing_from_people_who_are_free(
    world: World, dlr: Dlr, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    past = datetime.now(UTC) - timedelta(days=1)
    lines = [f"{PERSON},{cause},2026-03-01T10:00:00Z,{past:%Y-%m-%dT%H:%M:%SZ}" for cause in ("dnd", "opted_out")]
    file.write_text("\n".join(["address,cause,since,until", *lines]) + "\n", "utf-8")
    assert dlr("suppress", "import", str(file)) == "2 added, 0 stood already.\n"
    assert is_left_alone(world)


def test_a_slice_of_many_opt_outs_cancels_and_erases_in_as_many_steps_as_a_slice_of_one(world: World) -> None:
    steps: list[str] = []
    event.listen(world.desk.database.engine, "before_cursor_execute", lambda *said: steps.append(str(said[2])))
    counts = []
    for people in ([PERSON], [str(447_700_000_000 + number) for number in range(50)]):
        said = [inbound("stop", minutes_ago=1) | {"from": one, "messageId": f"in-{one}"} for one in people]
        steps.clear()
        world.desk.handle(*said)
        counts.append([sum(step.startswith(begin) for step in steps) for begin in ("UPDATE retries", "DELETE FROM")])
    assert counts == [[1, 1], [1, 0]]
    assert len(world.desk.rows(suppressions)) == 51


def lift_all(world: World) -> None:
    now, numbers = datetime.now(UTC), [row.id for row in world.desk.rows(suppressions)]
    with world.desk.database.transaction() as connection:
        lift(connection, [(number, now) for number in numbers], now, "ada", "they asked us")


def inbound(text: str, minutes_ago: int) -> dict[str, Any]:
    """Return what a person wrote to the sender."""
    at = date_of(datetime.now(UTC) - timedelta(minutes=minutes_ago))
    return {"messageId": f"in-{text}", "from": PERSON, "to": "Shop", "text": text, "receivedAt": at}


def test_an_opt_out_that_is_reported_cancels_and_erases_at_once(world: World) -> None:
    world.desk.handle(inbound("stop", minutes_ago=1))
    assert sorted(row.state for row in world.rows()) == ["cancelled", "planned"]
    assert len(world.desk.rows(contents)) == 1


def test_an_opt_out_that_was_taken_back_before_it_was_told_takes_nothing_from_the_person(world: World) -> None:
    world.desk.handle(inbound("start", minutes_ago=1))
    world.desk.handle(inbound("stop", minutes_ago=9))
    assert {row.state for row in world.desk.rows(suppressions)} == {"lifted"}
    assert is_left_alone(world)


def test_an_opt_out_that_is_taken_back_in_the_same_callback_takes_nothing_from_the_person(world: World) -> None:
    world.desk.handle(inbound("stop", minutes_ago=9), inbound("start", minutes_ago=1))
    assert {row.state for row in world.desk.rows(suppressions)} == {"lifted"}
    assert is_left_alone(world)


def test_an_opt_out_from_before_somebody_lifted_it_takes_nothing_from_the_person(world: World) -> None:
    enter(world, cause="recipient_opted_out", channel="", sender="Shop")
    lift_all(world)
    world.register("m-4")
    world.fail("m-4")
    world.desk.handle(inbound("stop", minutes_ago=9))
    assert {row.state for row in world.desk.rows(suppressions)} == {"lifted"}
    assert sorted(row.state for row in world.rows()) == ["cancelled", "planned", "planned"]
    assert len(world.desk.rows(contents)) == 2


def refuse_by_a_list(world: World) -> None:
    """Let Infobip's list refuse an e-mail to the person, since they called an earlier one spam."""
    world.desk.handle(report("m-9", status=9, error=6035, doneAt=date_of()), channel="email")


def test_a_list_that_refuses_somebody_for_a_complaint_cancels_and_erases_at_once(world: World) -> None:
    refuse_by_a_list(world)
    assert world.desk.rows(suppressions) == []
    assert sorted(row.state for row in world.rows()) == ["cancelled", "planned"]
    assert len(world.desk.rows(contents)) == 1


def test_a_list_that_refuses_somebody_who_was_lifted_here_takes_nothing_from_the_person(world: World) -> None:
    enter(world, cause="recipient_complained", channel="email")
    lift_all(world)
    world.register("m-4")
    world.fail("m-4")
    refuse_by_a_list(world)
    assert {row.state for row in world.desk.rows(suppressions)} == {"lifted"}
    assert sorted(row.state for row in world.rows()) == ["cancelled", "planned", "planned"]
    assert len(world.desk.rows(contents)) == 2
