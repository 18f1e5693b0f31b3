"""Whom somebody enters as wanting no more gets nothing that is planned, and what it would say is erased at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import entering
from store.entering import Wanted
from store.schema import contents
from tests.resend.test_steering import sent
from tests.resend.world import PERSON, World

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
    ],
    ids=str,
)
def test_what_does_not_stop_everything_for_good_leaves_them_to_the_last_moment(
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
