"""A repeated report is recognised whatever became of its message since, and in whatever order all of it comes."""

import json
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import aliases, retention
from store.aliases import Original
from store.messages import key_of
from store.retention import Limits
from store.schema import aliases as alias_rows
from store.schema import inbox, reports
from tests.support.desk import PERSON, Desk, report

DAY = timedelta(days=1)
LIMITS = Limits(bodies=30 * DAY, reports=90 * DAY, decisions=400 * DAY, keys=14 * DAY)
OTHER_SIDE = "447700900999"
Item = Mapping[str, Any]


def told_of_a_resend(desk: Desk, at: datetime) -> None:
    original, resend = (key_of(desk.vault, "main", message, PERSON) for message in ("m-1", "r-1"))
    with desk.database.transaction() as connection:
        aliases.add(connection, resend, "main", Original(original, 1), at)


def later(desk: Desk, now: datetime, days: int, limits: Limits = LIMITS) -> None:
    """Let days pass, and the purge run at their end."""
    retention.purge(desk.database, limits, now + days * DAY)
    desk.clock = lambda: now + days * DAY


def test_one_that_was_there_before_we_knew_whose_resend_it_tells_of(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27))
    told = report("r-1", 5, minute=9)
    assert desk.handle(told).reports == 1
    told_of_a_resend(desk, datetime.now(UTC))
    assert desk.handle(told).reports == 0
    assert desk.handle(report("r-1", 5, minute=10), told).reports == 1


@pytest.mark.parametrize("original_first", [True, False])
def test_one_on_a_resend_of_which_nobody_knows_any_more(desk: Desk, original_first: bool) -> None:
    now = datetime.now(UTC)
    if original_first:
        desk.handle(report("m-1", 9, 27))
    told_of_a_resend(desk, now - 89 * DAY)
    told = report("r-1", 5, minute=9)
    assert desk.handle(told).reports == 1
    later(desk, now, 2)
    assert desk.rows(alias_rows) == []
    assert desk.handle(told).reports == 0


def test_a_late_one_whose_message_was_kept_no_longer(desk: Desk) -> None:
    now = datetime.now(UTC)
    desk.clock = lambda: now
    desk.handle(report("m-1", 5, minute=5))
    desk.clock = lambda: now + 10 * DAY
    changes_nothing = report("m-1", 7, minute=1)
    assert desk.handle(changes_nothing).reports == 1
    later(desk, now, 15, replace(LIMITS, decisions=14 * DAY))
    assert desk.handle(changes_nothing).reports == 0


def test_one_on_a_message_that_proved_to_be_another(desk: Desk) -> None:
    now = datetime.now(UTC)
    desk.clock = lambda: now
    desk.handle(seen(PERSON, OTHER_SIDE), channel="whatsapp")
    swapped = report("m-1", 5, to=OTHER_SIDE, sender=PERSON)
    assert desk.handle(swapped, channel="whatsapp").reports == 1
    later(desk, now, 5, replace(LIMITS, reports=3 * DAY))
    # Nobody knows by then that a delivery report told of the other side, and the two are made one.
    assert desk.handle(report("m-1", 5), channel="whatsapp").reports == 1
    assert desk.handle(swapped, channel="whatsapp").reports == 0


def seen(sender: str, to: str, message: str = "m-1", minute: int = 0) -> Item:
    return {"messageId": message, "from": sender, "to": to, "seenAt": report(minute=minute)["doneAt"]}


def all_of(message: str) -> list[Item]:
    """Return what may be told of one message, by products that do not agree on who is who."""
    return [
        report(message, 5),
        report(message, 7, minute=1),
        report(message, 9, 27, minute=2),
        report(message, 5, to=OTHER_SIDE, sender=PERSON, minute=3),
        report(message, 9, 27, minute=5, channel="VIBER"),
        seen(PERSON, OTHER_SIDE, message, 6),
        seen(OTHER_SIDE, PERSON, message, 7),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_each_has_its_effects_once_in_whatever_order_they_come(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    pool = [(item, trusted) for name in ("m-1", "m-2") for trusted in (True, False) for item in all_of(name)]
    told = [chance.choice(pool) for _ in range(40)]
    done = start = 0
    while start < len(told):
        together = told[start : start + chance.randint(1, 6)]
        start += len(together)
        for trusted in (True, False):
            desk.post(*(item for item, how in together if how == trusted), channel="whatsapp", trusted=trusted)
        if chance.random() < 0.5:
            done += desk.drain().reports
    done += desk.drain().reports
    assert done == len({(json.dumps(item), trusted) for item, trusted in told})
    assert {row.state for row in desk.rows(inbox)} == {"done"}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_eight_workers_at_once_give_each_its_effects_once(desk: Desk) -> None:
    chance = random.Random(3)
    pool = [item for number in range(60) for item in all_of(f"m-{number}")]
    for _ in range(40):
        desk.post(*chance.sample(pool, 80), channel="whatsapp")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: desk.drain(), range(8)))
    desk.post(*pool, channel="whatsapp")
    desk.drain()
    assert len(desk.rows(reports)) == len(pool)
    assert {row.state for row in desk.rows(inbox)} == {"done"}
