"""The schedules that Infobip documents, from the failure to the last attempt, with days that pass at once.

Every send goes to the simulated Infobip, whose own reports come back to the desk with the dates of the test's clock.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from store.database import Database
from store.schema import messages, suppressions
from store.vault import Vault
from tests.resend.world import Clock, World
from tests.resend.world import world as make_world
from tests.simulator.bodies import BY_PATH, ID
from tests.support.infobip import send

_ALWAYS: Final = 12
_NOWHERE: Final = "http://127.0.0.1:9/{channel}"
_DATES: Final = re.compile(r'("(?:doneAt|sentAt)":\s*)"[^"]*"')
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


@dataclass
class Calendar(Clock):
    """A clock that stands still until it is moved."""

    moment: datetime = datetime(2026, 3, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment + self.ahead


@dataclass
class Journey:
    """One message on its way through its attempts."""

    world: World
    path: str
    request: dict[str, Any]
    recipient: str
    left: list[datetime] = field(default_factory=list)
    """When each resend left."""

    def begin(self) -> None:
        """Send the message and let its first report come in."""
        door, world = BY_PATH[self.path], self.world
        endpoint = {"/sms/3/messages": "sms-3", "/email/4/messages": "email-4"}.get(self.path, "whatsapp-template")
        world.register(
            ID,
            to=self.recipient,
            channel=door.channel,
            endpoint=endpoint,
            path=self.path,
            request=self.request,
            sent_at=world.clock(),
            state="accepted",
        )
        send(world.infobip, self.request, self.path)
        self._report()

    def go_on(self) -> None:
        """Jump from one attempt to the next until none is planned, and see that nothing leaves before its time."""
        while due := [row.due_at for row in self.world.rows() if row.state == "planned"]:
            [at] = due
            assert at is not None
            assert self._leaves_at(at - timedelta(seconds=1)) == 0
            if self._leaves_at(at):
                self.left.append(at)
                self._report()
        assert self._leaves_at(self.world.clock() + timedelta(days=9)) == 0

    def _leaves_at(self, moment: datetime) -> int:
        before = len(self.world.infobip.sends())
        self.world.clock.ahead = timedelta()
        self.world.clock.moment = moment  # type: ignore[attr-defined]
        self.world.run()
        return len(self.world.infobip.sends()) - before

    def _report(self) -> None:
        self.world.infobip.settle()
        [newest] = self.world.infobip.callbacks(bodies=True)[-1:]
        now = self.world.clock().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        body = _DATES.sub(rf'\g<1>"{now}"', newest["body"]).encode()
        self.world.desk.post_body(body, newest["channel"])
        self.world.desk.drain()

    @property
    def after(self) -> list[timedelta]:
        """How long after the original each resend left."""
        return [moment - _START for moment in self.left]

    def states(self) -> list[str]:
        return [row.state for row in self.world.rows()]


_START: Final = Calendar().moment


@pytest.fixture
def planned(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    """A world whose clock stands still, and whose delays have nothing random."""
    with make_world(database, vault, tmp_path, policy="[limits]\njitter = 0.0\n") as made:
        made.clock = Calendar()
        made.desk.clock = made.clock
        made.infobip.world.targets.notify_url = _NOWHERE
        yield made


def journey(
    world: World, error: int, failures: int = _ALWAYS, path: str = "/sms/3/messages", to: str = "", start: Any = None
) -> Journey:
    """Return a message whose first `failures` sends fail with `error`, gone through all its attempts."""
    fails = [{"after": 0, "error": error}]
    rules = [{"name": f"{n}", "match": {"attempt": n}, "reports": fails} for n in range(1, failures + 1)]
    world.infobip.load({"rule": rules, "otherwise": [{"after": 0}], "limits": False})
    door = BY_PATH[path]
    request = deepcopy(door.body)
    if to:
        request["messages"][0]["destinations"][0]["to"] = to
    if start is not None:
        world.clock.moment = start  # type: ignore[attr-defined]
    made = Journey(world, path, request, to or door.recipient)
    made.begin()
    made.go_on()
    return made


def test_a_prepaid_card_without_credit_is_tried_every_day_for_a_week(planned: World) -> None:
    made = journey(planned, 581)

    assert made.after == [24 * HOUR * day for day in range(1, 8)]
    assert made.states() == ["accepted"] * 7
    [entry] = planned.desk.rows(suppressions)
    assert (entry.cause, entry.channel, entry.until - entry.since) == (
        "recipient_out_of_credit",
        "sms",
        timedelta(days=30),
    )


def test_a_brands_daily_quota_waits_for_midnight_in_us_pacific_time_also_when_the_clocks_change(planned: World) -> None:
    made = journey(planned, 542, start=datetime(2026, 3, 7, 20, tzinfo=UTC))

    # 00:15 PST, and a day later, which has 23 hours, 00:15 PDT.
    assert made.left == [datetime(2026, 3, 8, 8, 15, tzinfo=UTC), datetime(2026, 3, 9, 7, 15, tzinfo=UTC)]


def test_a_mailbox_that_is_unavailable_gets_hours(planned: World) -> None:
    made = journey(planned, 6007, path="/email/4/messages")

    assert made.after == [4 * HOUR, 12 * HOUR, 36 * HOUR]
    assert made.states() == ["accepted"] * 3


def test_a_template_that_is_not_synchronised_gets_ten_minutes_twice(planned: World) -> None:
    made = journey(planned, 7036, path="/whatsapp/1/message/template")

    assert made.after == [10 * MINUTE, 20 * MINUTE]


def test_promotion_in_india_waits_for_the_morning(planned: World) -> None:
    # 22:30 in Kolkata.
    made = journey(planned, 4138, 1, to="919812345678", start=datetime(2026, 3, 4, 17, tzinfo=UTC))

    assert made.left == [datetime(2026, 3, 5, 4, 35, tzinfo=UTC)]  # 10:05
    assert [row.state for row in planned.desk.rows(messages)] == ["delivered"]


def test_promotion_in_india_is_tried_twice_and_never_at_night(planned: World) -> None:
    # 20:58 in Kolkata: two minutes before the window closes.
    made = journey(planned, 4138, to="919812345678", start=datetime(2026, 3, 4, 15, 28, tzinfo=UTC))

    assert made.left == [datetime(2026, 3, 5, 4, 35, tzinfo=UTC), datetime(2026, 3, 5, 4, 40, tzinfo=UTC)]


@pytest.mark.parametrize("error", [4103, 4104])
def test_what_infobip_counts_as_flooding_waits_for_more_than_an_hour_once(planned: World, error: int) -> None:
    made = journey(planned, error)

    assert made.after == [65 * MINUTE]
    assert made.states() == ["accepted"]


def test_an_attempt_that_arrives_ends_the_schedule(planned: World) -> None:
    made = journey(planned, 581, 2)

    assert made.after == [24 * HOUR, 48 * HOUR]
    assert [row.state for row in planned.desk.rows(messages)] == ["delivered"]
    assert planned.desk.rows(suppressions) == []
