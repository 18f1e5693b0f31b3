"""Caps and budgets hold whichever address is used, whatever a price is, and however many workers count."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from config.secrets import Secret
from infobip.outbound.results import Sent
from store import forget
from store.schema import incidents, messages
from tests.resend.test_races import BY_VOICE, FALLBACK
from tests.resend.world import World, acting_rules, turned
from tests.support.infobip import AT_ONCE, send, sms
from workers.actions.resend.never_left import _next
from workers.actions.resend.refused import Failure
from workers.actions.resend.resender import Resender

OTHER = "447700900456"


class TestTheCapForOnePerson:
    def test_counts_what_went_to_the_address_that_the_resend_goes_to(self, world: World, tmp_path: Path) -> None:
        world.desk.rules = acting_rules(tmp_path, BY_VOICE)
        world.register(fallback=FALLBACK)
        world.fail()
        world.clock.pass_(minutes=30)
        for number in range(3):
            world.register(f"other-{number}", to=OTHER, state="accepted", sent_at=world.clock())
        world.run()

        assert world.infobip.sends() == []
        [row] = world.rows()
        assert (row.state, row.note) == ("planned", "4 messages went there within an hour")

    def test_counts_resends_that_reached_the_address_for_another(self, world: World, tmp_path: Path) -> None:
        world.desk.rules = acting_rules(tmp_path, BY_VOICE)
        world.account = replace(world.account, per_recipient_hour=2)
        world.register(fallback=FALLBACK)
        world.fail()
        world.run(minutes=10)
        assert [one["recipient"] for one in world.infobip.sends()] == [OTHER]
        world.desk.rules = acting_rules(tmp_path)
        world.register("m-2", to=OTHER)
        world.fail("m-2", error=32, to=OTHER)
        world.run(minutes=15)

        assert [row.note for row in world.rows() if row.state == "planned"] == ["2 messages went there within an hour"]


def test_whom_a_resend_reached_is_forgotten_with_the_person(world: World, tmp_path: Path) -> None:
    world.desk.rules = acting_rules(tmp_path, BY_VOICE)
    world.register(fallback=FALLBACK)
    world.fail()
    world.run(minutes=10)
    number = world.desk.vault.hash_address("main", OTHER)
    assert [row.reached for row in world.rows()] == [number]
    with world.desk.database.transaction() as connection:
        forget.remove(connection, [number], "44770*****56", "447700900456".__eq__, world.clock())

    assert [row.reached for row in world.rows()] == [None]


class _Together(Resender):
    """A worker that waits, right before it says that a resend leaves, for another one to get as far."""

    both: threading.Barrier

    def _leave(self, *given: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            self.both.wait(1)
        return super()._leave(*given)


def at_once(world: World) -> None:
    """Let two workers send what is due at the same moment."""
    both = threading.Barrier(2)
    threads = []
    for owner in ("one", "two"):
        worker = turned(world.resender(owner), _Together)
        worker.both = both
        run: Callable[[], object] = lambda worker=worker: worker.run(lambda: False)  # type: ignore[misc]  # noqa: E731
        threads.append(threading.Thread(target=run))
    world.clock.pass_(hours=2)
    # Each has to hold one of the two before either sends.
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


class TestTwoWorkers:
    def test_do_not_both_take_the_last_place_of_a_budget(self, world: World) -> None:
        world.account = replace(world.account, resends_per_day=1)
        for number in range(40):
            to = f"4477009003{number:02}"
            world.register(f"m-{number}", to=to)
            world.fail(f"m-{number}", to=to)
        at_once(world)

        assert len(world.infobip.sends()) == 1

    def test_do_not_both_send_the_last_that_a_person_may_get(self, world: World) -> None:
        world.account = replace(world.account, per_recipient_hour=1)
        for number in range(40):
            world.register(f"m-{number}", sent_at=world.clock() - timedelta(minutes=50))
            world.fail(f"m-{number}")
        at_once(world)

        assert len(world.infobip.sends()) == 1


def test_a_price_that_is_not_known_counts_as_the_dearest_that_any_report_told(world: World) -> None:
    world.account = replace(world.account, money_per_day=1.0)
    world.register("m-0", to=OTHER)
    world.deliver("m-0", to=OTHER, price={"pricePerMessage": 0.6, "currency": "EUR"})
    for number in (1, 2):
        to = f"44770090020{number}"
        world.register(f"m-{number}", to=to)
        world.fail(f"m-{number}", to=to, price={"pricePerMessage": 0, "currency": "EUR"})
    world.run(hours=2)

    assert sorted(row.cost_micros for row in world.rows()) == [0, 600_000]
    assert len(world.infobip.sends()) == 1


def test_a_budget_that_is_used_up_is_told_once_with_what_to_do(world: World) -> None:
    world.account = replace(world.account, resends_per_day=1)
    for number in range(4):
        to = f"4477009003{number:02}"
        world.register(f"m-{number}", to=to)
        world.fail(f"m-{number}", to=to)
    world.run(hours=2)
    world.run(hours=1)

    assert [one.change for one in world.desk.fold() if "a daily budget is used up" in one.title] == ["opened"]
    with world.desk.database.reading() as connection:
        row = connection.execute(select(incidents).where(incidents.c.rule == "resend-budget")).one()
    assert "resends_per_day" in row.next_step
    assert row.is_open == 1


class _Renames(Resender):
    """A resender whose Infobip gives messages ids of its own."""

    def _post(self, ready: Any) -> Any:
        result = super()._post(ready)
        return replace(result, message_id="their-own-7") if isinstance(result, Sent) else result


def test_reports_on_an_id_that_infobip_gave_by_itself_count_for_the_original(world: World) -> None:
    world.register()
    world.fail()
    world.clock.pass_(hours=2)
    turned(world.resender(), _Renames).run(lambda: False)
    world.deliver("their-own-7")

    [message] = world.desk.rows(messages)
    assert (message.message_id, message.state) == ("m-1", "delivered")
    assert [row.new_id for row in world.rows()] == ["their-own-7"]


def test_a_clock_that_is_set_back_does_not_let_a_worker_post_that_stood_still(world: World) -> None:
    world.register()
    world.fail()
    world.clock.pass_(hours=2)

    class StoodStill(Resender):
        def _leave(self, *given: Any) -> Any:
            ready = super()._leave(*given)
            # What it would be after a stop of minutes in which the clock was set back.
            return replace(ready, end=ready.end - 120) if ready else ready

    turned(world.resender(), StoodStill).run(lambda: False)

    assert world.infobip.sends() == []
    assert world.states() == [(1, "planned")]


class TestInDoubt:
    def test_without_a_credential_it_is_looked_up_once_there_is_one(self, world: World) -> None:
        world.infobip.load({**AT_ONCE, "rule": [{"name": "lost", "fault": {"drop": "after"}}]})
        world.register()
        world.fail()
        world.run(hours=2)
        own, world.account = world.account, replace(world.account, key=Secret())
        world.run(minutes=2)
        [row] = world.rows()
        assert row.state == "unknown"
        assert row.due_at is not None, "it is left to a person for good"

        world.infobip.load(AT_ONCE)
        world.account = own
        world.run(minutes=20)

        assert world.states() == [(1, "accepted")]

    def test_a_control_that_logs_cannot_be_asked_for_is_none(self, world: World) -> None:
        world.infobip.load({**AT_ONCE, "rule": [{"name": "lost", "fault": {"drop": "before"}}]})
        world.register()
        world.fail()
        world.run(hours=2)
        world.infobip.load(AT_ONCE)
        for name, to in (("a,b", OTHER), ("plain", "447700900789")):
            world.register(name, to=to, state="accepted", sent_at=world.clock())
            send(world.infobip, sms(to, message_id=name))
            world.clock.pass_(seconds=1)
        for _ in range(6):
            world.run(minutes=16)

        assert world.states() == [(1, "accepted")]
        assert world.infobip.times_accepted("m-1-r1") == 1


def test_what_was_ended_in_doubt_is_not_sent_again_from_an_incident() -> None:
    failure = Failure(b"key", b"person", 1, "sms", "m-1")

    def row(state: str, posts: int) -> Any:
        return SimpleNamespace(attempt=1, state=state, new_id="m-1-r1", posts=posts)

    assert _next([row("cancelled", 1)], failure) == (2, "attempt 1 may have left before it was cancelled")
    assert _next([row("cancelled", 0)], failure) == (2, "")
    assert _next([row("refused", 1)], failure) == (2, "")
