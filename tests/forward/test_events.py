"""What happens is told: each message's final state, suppressions, resends and incidents."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from policy import Mode
from store import by_hand, retention, setting_back
from store.schema import events, incidents, outbox, retries
from store.suppressions import Entry, suppress
from tests.forward.conftest import MakeWorld
from tests.forward.world import World, opened, table
from tests.relay.world import Target
from tests.support.desk import PERSON, report

UNKNOWN = {"status": 9, "error": 1}  # for good: nobody has that number
ABSENT = {"status": 9, "error": 27}  # for now: sent again


def told(world: World, target: Target) -> list[tuple[str, Any]]:
    """Send what waits; return what the customer's system got, by type."""
    target.seen.clear()
    world.send()
    return [(event["type"], event["data"]) for event in map(opened, target.seen)]


def kinds(world: World, target: Target) -> list[str]:
    return sorted(kind for kind, _ in told(world, target))


def test_a_delivery_is_told_with_what_the_report_says(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1", price="0.05", currency="EUR"))
    ((kind, data),) = told(world, target)
    assert kind == "message.delivered"
    assert data["messageId"] == "m-1"
    assert data["account"] == "main"
    assert data["channel"] == "sms"
    assert data["state"] == "delivered"
    assert data["network"] == "23410"
    assert data["status"]["id"] == 5
    assert opened(target.seen[0])["timestamp"] == "2026-03-09T10:00:00.000Z"


def test_people_are_masked_unless_an_endpoint_has_it_switched_on(
    make_world: MakeWorld, target: Target, other: Target
) -> None:
    world = make_world(table(target) + table(other, "billing", include=["address"]))
    world.handle(report("m-1"))
    world.send()
    assert opened(target.seen[0])["data"]["to"] == "…23"
    assert PERSON.encode() not in target.seen[0].body
    assert opened(other.seen[0])["data"]["to"] == PERSON


def test_a_failure_that_is_sent_again_is_not_final(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["message.*"]))
    world.handle(report("m-1", **ABSENT))
    assert kinds(world, target) == []


def test_a_failure_is_final_once_no_resend_is_left(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["message.*", "resend.*"]))
    world.handle(report("m-1", **ABSENT))
    with world.database.transaction() as connection:
        connection.execute(update(retries).values(give_up_at=datetime.now(UTC) - timedelta(minutes=1)))
    limits = retention.Limits(*[timedelta(days=400)] * 4)
    retention.purge(world.database, limits, datetime.now(UTC))
    found = dict(told(world, target))
    assert sorted(found) == ["message.failed", "resend.ended"]
    assert found["resend.ended"]["state"] == "expired"
    assert found["resend.ended"]["messageId"] == "m-1"
    assert found["message.failed"]["error"]["id"] == 27


@pytest.mark.parametrize(("mode", "told_of"), [(Mode.OBSERVE, ["message.failed"]), (Mode.PROPOSE, [])])
def test_a_failure_is_final_once_the_policy_lets_its_resend_leave_no_more(
    make_world: MakeWorld, target: Target, mode: Mode, told_of: list[str]
) -> None:
    world = make_world(table(target, events=["message.*"]))
    world.handle(report("m-1", **ABSENT))
    world.database.repeat(lambda connection: setting_back.every(connection, mode, datetime.now(UTC)))
    assert kinds(world, target) == told_of


def test_a_failure_for_good_is_told_with_its_rule_and_the_suppression(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1", **UNKNOWN))
    found = dict(told(world, target))
    assert found["message.failed"]["cause"] == "recipient_unknown"
    assert found["message.failed"]["rule"]
    added = found["suppression.added"]
    assert added["cause"] == "recipient_unknown"
    assert added["state"] == "active"
    assert added["until"] is not None


def test_a_repeated_report_is_told_once(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1"))
    world.handle(report("m-1"))
    world.handle(report("m-1", minute=3))  # another report, the same state
    assert kinds(world, target) == ["message.delivered"]


def test_both_states_of_one_callback_are_told(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    seen = {"messageId": "m-1", "sender": "Shop", "to": PERSON, "seenAt": "2026-03-09T10:05:00.000+0000"}
    world.handle(report("m-1"), seen, channel="whatsapp")
    assert kinds(world, target) == ["message.delivered", "message.seen"]


def test_a_late_delivery_follows_a_failure(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["message.*", "suppression.*"]))
    world.handle(report("m-1", **UNKNOWN))
    assert kinds(world, target) == ["message.failed", "suppression.added"]
    world.handle(report("m-1", minute=5))
    assert kinds(world, target) == ["message.delivered", "suppression.lifted"]
    world.handle(report("m-1", status=9, error=1, minute=9))
    assert "message.failed" not in kinds(world, target)


def test_a_resend_that_a_delivery_cancels_is_told_as_ended(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1", **ABSENT))
    world.handle(report("m-1", minute=5))
    found = dict(told(world, target))
    assert sorted(found) == ["message.delivered", "resend.ended"]
    assert found["resend.ended"]["reason"] == "the message arrived"


def test_incidents_are_told_when_they_open_and_when_they_are_over(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["incident.*"], channels=["sms"]))
    world.handle(report("m-1", status=9, error=99999))
    world.fold()
    (row,) = [row for row in world.rows(incidents) if row.state == "open"]
    ((kind, data),) = told(world, target)
    assert (kind, data["incidentId"], data["title"]) == ("incident.opened", str(row.id), row.title)
    with world.database.transaction() as connection:
        assert by_hand.resolve(connection, row.id, "ann", datetime.now(UTC))
    ((kind, data),) = told(world, target)
    assert (kind, data["incidentId"]) == ("incident.resolved", str(row.id))


def test_a_rule_that_forwards_reaches_the_endpoint_that_it_names(
    make_world: MakeWorld, target: Target, other: Target
) -> None:
    world = make_world(table(target, "crm", ["incident.opened"]) + table(other, "other", ["incident.opened"]))
    world.rules('[[rule]]\nid = "tell-crm"\nwhy = "it wants to know"\nforward = "crm"\n[rule.match]\nerror = [27]\n')
    world.handle(report("m-1", **ABSENT))
    ((kind, data),) = told(world, target)
    assert (kind, data["rule"], data["messageId"]) == ("report.matched", "tell-crm", "m-1")
    assert other.seen == []


def test_an_endpoint_gets_only_its_channels_and_accounts(make_world: MakeWorld, target: Target, other: Target) -> None:
    world = make_world(table(target, "calls", channels=["voice"]) + table(other, "shop", accounts=["shop"]))
    world.handle(report("m-1"))
    world.handle(report("m-2"), account="shop")
    world.send()
    assert target.seen == []
    assert [opened(seen)["data"]["messageId"] for seen in other.seen] == ["m-2"]


def test_what_nobody_wants_is_not_written(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["incident.opened"]))
    world.handle(report("m-1", **UNKNOWN), report("m-2"))
    assert list(world.rows(events)) == []
    assert [row for row in world.rows() if row.kind == "forward"] == []


def test_what_strangers_say_is_not_passed_on(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["message.*"]))
    world.handle(report("m-1"), trusted=False)
    assert kinds(world, target) == []


def test_events_are_of_the_transaction_that_decides(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))

    def cut_off(connection: Connection) -> None:
        at = datetime.now(UTC)
        entry = Entry("main", b"x" * 16, "sms", "", "", "all", "operator", "", "operator", "active", at, None, {})
        suppress(connection, [entry], at, "test")
        assert len(connection.execute(select(outbox)).all()) == 1
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        world.database.repeat(cut_off)
    assert list(world.rows(events)) == []
    assert list(world.rows(outbox)) == []
