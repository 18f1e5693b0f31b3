"""People who bounce and people who opt out, and what the maintaining task does then."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from policy import Mode
from policy.rules import Rules
from store.incidents import Opened
from tests.support.desk import Desk, report
from workers import maintain as tasks


def bounce(
    number: int,
    domain: str = "example.com",
    *,
    error: int = 6006,
    message: str = "",
    sender: str = "news@shop.example",
    minute: int = 0,
) -> dict[str, Any]:
    """Return an e-mail report: a mailbox that nobody has, or with `error` 0 a delivery."""
    made = report(message or f"b-{domain}-{number}-{error}", 5 if error == 0 else 9, error, minute)
    return made | {"to": f"person{number}@{domain}", "sender": sender, "mccMnc": ""}


def opted_out(number: int) -> dict[str, Any]:
    """Return a report on somebody who texted STOP."""
    return report(f"o-{number}", 9, 603, to=str(447_700_900_000 + number))


def act(desk: Desk, mode: Mode = Mode.ACT) -> None:
    """Let suppressions go as far as `mode` by themselves."""
    rules = desk.rules
    desk.rules = Rules(rules.rules, rules.version, {**rules.modes, "suppress": mode}, rules.limits, rules.purposes)


def allow(desk: Desk, count: int) -> None:
    """Let so many be suppressed within the window: what slices beside each other do not see of each other."""
    rules = desk.rules
    limits = replace(rules.limits, guard_count=count)
    desk.rules = Rules(rules.rules, rules.version, rules.modes, limits, rules.purposes)


def bounces(desk: Desk, numbers: range, minute: int = 0, **more: Any) -> None:
    """Let each of these people bounce, all in one callback."""
    desk.handle(*[bounce(number, minute=minute, **more) for number in numbers], channel="email")


def maintain(desk: Desk, now: datetime | None = None) -> list[Opened]:
    """Do what the folding task does; return which incidents opened or went on."""
    tasks.guard(desk.database, desk.rules.limits, now or datetime.now(UTC))
    return desk.fold()


def until_it_waits(desk: Desk) -> None:
    """Return once another connection waits for a lock of this one; SQLite does not tell, and gets a while."""
    if desk.database.is_sqlite:
        time.sleep(0.3)
        return
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = time.monotonic() + 10
    with desk.database.engine.connect() as connection:
        while not connection.execute(waiting).scalar():
            connection.rollback()
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)
