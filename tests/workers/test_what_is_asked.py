"""Whose past is looked up before a decision, and that nothing follows from what is not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policy import Mode, load_policy
from store import protections
from store.schema import failure_days, suppressions
from tests.support.desk import PERSON, Desk, report
from tests.suppress.people import act

NOT_ON_CHANNEL = 7002
MACHINE = 10002
ONE_TIME_CODES = """
version = 1
[purposes]
default = { "*" = "otp" }
"""
CALLED_ANSWERED = """
[[rule]]
id = "only-a-machine"
match = { cause = ["machine_answered"] }
why = "whoever is never reached in person is left alone"
counts_as = "failed"
suppress = { scope = "channel", for = "30d" }
"""


def protect(desk: Desk) -> None:
    person = ("main", desk.vault.hash_address("main", PERSON))
    now = datetime.now(UTC)
    with desk.database.transaction() as connection:
        protections.protect(connection, [person], None, now, "ada", "known to work")


def own_rules(desk: Desk, folder: Path, text: str) -> None:
    path = folder / "own.toml"
    path.write_text(text)
    desk.rules = load_policy(path)


def sent(minute: int = 0, **more: Any) -> dict[str, Any]:
    """Return a report that the message left, by which its channel is known."""
    return report("m-1", 7, minute=minute, **more)


class TestWhereTheChannelIsTheMessages:
    """A report that names no channel has the one of its message, and with it another meaning."""

    failed = report("m-1", 9, NOT_ON_CHANNEL, 2)

    @pytest.fixture(autouse=True)
    def acts(self, desk: Desk) -> None:
        act(desk, Mode.ACT)

    def test_it_suppresses_like_any_other(self, desk: Desk) -> None:
        desk.handle(sent(), channel="whatsapp")
        desk.handle(self.failed, channel="unknown")
        assert [(row.cause, row.channel) for row in desk.rows(suppressions)] == [
            ("recipient_not_on_channel", "whatsapp")
        ]

    @pytest.mark.parametrize("together", [False, True])
    def test_a_protected_person_is_not_suppressed(self, desk: Desk, together: bool) -> None:
        protect(desk)
        desk.post(sent(), channel="whatsapp")
        if not together:
            desk.drain()
        desk.handle(self.failed, channel="unknown")
        assert desk.rows(suppressions) == []

    def test_what_arrived_later_and_is_known_already_speaks_for_the_person(self, desk: Desk) -> None:
        desk.handle(sent(), channel="whatsapp")
        desk.handle(report("m-2", 5, minute=3), channel="whatsapp")
        desk.handle(self.failed, channel="unknown")
        assert desk.rows(suppressions) == []
        assert desk.rows(failure_days) == []


class TestWhereARuleCountsACallAsFailed:
    """Its status says that it was delivered: to a machine."""

    call = report("m-1", 5, MACHINE, 1)

    def test_no_failure_is_kept_after_which_something_arrived(self, desk: Desk, tmp_path: Path) -> None:
        own_rules(desk, tmp_path, ONE_TIME_CODES)
        desk.handle(report("m-2", 5, minute=3), channel="voice")
        desk.handle(self.call, channel="voice")
        assert desk.rows(failure_days) == []

    def test_one_is_kept_where_nothing_arrived(self, desk: Desk, tmp_path: Path) -> None:
        own_rules(desk, tmp_path, ONE_TIME_CODES)
        desk.handle(self.call, channel="voice")
        assert [row.cause for row in desk.rows(failure_days)] == ["machine_answered"]

    @pytest.mark.parametrize("protected", [True, False])
    def test_only_a_person_whom_nobody_protects_is_suppressed(
        self, desk: Desk, tmp_path: Path, protected: bool
    ) -> None:
        own_rules(desk, tmp_path, ONE_TIME_CODES + CALLED_ANSWERED)
        act(desk, Mode.ACT)
        if protected:
            protect(desk)
        desk.handle(self.call, channel="voice")
        assert len(desk.rows(suppressions)) == (not protected)
