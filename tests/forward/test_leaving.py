"""How events leave: signed, at least once under one id, and no endpoint waits for another."""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from store import outbox, retention
from store.database import Database
from store.forget import remove
from store.schema import events
from tests.forward.conftest import MakeWorld
from tests.forward.world import SECOND, SECRET, opened, table
from tests.relay.world import HASTE, Target, silence, status
from tests.support.desk import PERSON, report
from workers.actions.addresses import Found
from workers.actions.outbox import KINDS, make_sender
from workers.actions.post import Road


def test_each_live_secret_verifies_while_one_is_rotated(make_world: MakeWorld, target: Target, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n{SECOND}\n")
    world = make_world(f'[crm]\nurl = "{target.url}"\nsecret_file = "secret"\nevents = ["*"]\nprivate = true\n')
    world.handle(report("m-1"))
    world.send()
    for secret in (SECRET, SECOND):
        assert opened(target.seen[0], secret)["data"]["messageId"] == "m-1"
    file.write_text(f"{SECOND}\n")
    world.handle(report("m-2"))
    world.send()
    assert opened(target.seen[1], SECOND)["data"]["messageId"] == "m-2"
    assert len((target.seen[1].header("webhook-signature") or "").split()) == 1


def test_a_changed_body_does_not_verify(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1"))
    world.send()
    (seen,) = target.seen
    with pytest.raises(Exception, match="signature"):
        Webhook(SECRET).verify(seen.body.replace(b"m-1", b"m-2"), dict(seen.headers))


def test_a_failed_attempt_is_repeated_under_the_same_id(make_world: MakeWorld, target: Target) -> None:
    target.replies += [status(500), lambda handler: setattr(handler, "close_connection", True)]
    world = make_world(table(target))
    world.handle(report("m-1"))
    for _ in range(3):
        world.send()
        world.due_now()
    assert len(target.seen) == 3
    assert len({seen.header("webhook-id") for seen in target.seen}) == 1
    assert world.states() == ["done"]


def test_a_crash_between_post_and_record_repeats_under_the_same_id(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1"))
    now = datetime.now(UTC)
    with world.database.reading() as connection:
        (line,) = outbox.lines(connection, ["forward"], now, 10)
    (delivery,) = outbox.claim(world.database, line, "dying", now, 10)
    kind = KINDS["forward"](world.context, Road(patience=HASTE))
    lane = kind.lane("crm")
    assert lane is not None
    lane.send(delivery, now)
    lane.close()  # and here its worker is killed
    assert world.states() == ["claimed"]
    world.clock.now = now + outbox.LEASE + timedelta(seconds=1)
    world.send()
    assert world.states() == ["done"]
    first, second = target.seen
    assert first.header("webhook-id") == second.header("webhook-id")
    assert first.body == second.body


def test_a_dead_endpoint_delays_nobody_else(make_world: MakeWorld, target: Target, other: Target) -> None:
    target.always = silence(5)
    world = make_world(table(target, "dead") + table(other, "alive"))
    world.handle(*[report(f"m-{number}") for number in range(60)])
    world.send(15)
    assert len(other.seen) == 60
    assert len(target.seen) < 20  # paused long before it had a try with each


def test_a_dead_endpoint_is_paused_and_a_person_is_told(make_world: MakeWorld, target: Target) -> None:
    target.always = status(503)
    world = make_world(table(target, events=["message.*"]))
    world.handle(*[report(f"m-{number}") for number in range(9)])
    for _ in range(4):
        world.send()
        world.clock.later(minutes=11)
    (incident,) = world.fold().values()
    assert incident.title == "The forward endpoint 'crm' is paused: it answered 503"
    target.always = status(200)
    world.clock.later(minutes=11)
    world.due_now()
    world.send()
    assert set(world.states()) == {"done"}


def test_gone_pauses_at_once(make_world: MakeWorld, target: Target) -> None:
    target.always = status(410)
    world = make_world(table(target, events=["message.*"]))
    world.handle(report("m-1"), report("m-2"))
    world.send()
    world.clock.later(hours=1)
    world.send()
    assert len(target.seen) == 1
    assert ["it wants no events any more" in title for title in world.fold()] == [True]


def test_events_are_tried_for_days_and_then_given_up_with_an_incident(make_world: MakeWorld, target: Target) -> None:
    target.always = status(503)
    world = make_world(table(target, events=["message.*"], give_up_after="3d"))
    world.handle(report("m-1"))
    (row,) = world.rows()
    assert timedelta(days=2.9) < row.give_up_at - row.due_at <= timedelta(days=3)
    world.clock.later(days=2.9)
    world.send()
    assert world.states() == ["due"]
    world.clock.later(days=0.2)
    world.send()
    assert world.states() == ["given_up"]
    assert any("were given up" in title for title in world.fold())


def test_private_addresses_get_nothing_unless_the_endpoint_allows_it(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, url="https://localhost/x", private=False, events=["message.*"]))
    world.handle(report("m-1"))
    world.send()
    assert world.states() == ["due"]
    assert "private network" in world.rows()[0].last_error
    assert any("private = true" in one.next_step for one in world.fold().values())


def test_a_name_server_that_does_not_answer_holds_up_nobody(
    make_world: MakeWorld, target: Target, other: Target
) -> None:
    hanging, asked = threading.Event(), []

    def names(host: str, port: int) -> Sequence[Found]:
        asked.append(host)
        if host == "slow.example.com":
            hanging.wait(60)
        return [(2, ("127.0.0.1", port))]

    world = make_world(
        table(target, "slow", url=target.url.replace("127.0.0.1", "slow.example.com")) + table(other, "good")
    )
    world.handle(*[report(f"m-{number}") for number in range(6)])
    road = Road(names, False, HASTE)
    try:
        world.clock.now = datetime.now(UTC)
        make_sender(world.context, road=road, clock=world.clock).run(10)
        assert len(other.seen) == 6
        assert asked.count("slow.example.com") == 1  # whoever asks meanwhile waits for the same look-up
        errors = {row.last_error for row in world.rows() if row.target == "slow" and row.attempts}
        assert errors == {"nobody told the address of its host in time"}
    finally:
        hanging.set()


def test_an_endpoint_without_a_table_is_told_to_a_person_and_can_be_replayed(
    make_world: MakeWorld, target: Target
) -> None:
    world = make_world(table(target))
    world.rules('[[rule]]\nid = "tell"\nwhy = "it wants to know"\nforward = "nowhere"\n[rule.match]\nerror = [27]\n')
    world.handle(report("m-1", status=9, error=27))
    world.send()
    assert {row.state for row in world.rows() if row.target == "nowhere"} == {"given_up"}
    assert any("'nowhere'" in title for title in world.fold())


def test_a_changed_file_is_in_force_without_a_restart(make_world: MakeWorld, target: Target, other: Target) -> None:
    world = make_world(table(target))
    world.file.write_text(table(target, events=["incident.opened"]) + table(other, "more"))
    world.handle(report("m-1"))
    world.send()
    assert (len(target.seen), len(other.seen)) == (0, 1)
    world.file.write_text("[broken")
    world.handle(report("m-2"))
    world.send()
    assert len(other.seen) == 2


def test_an_account_that_an_endpoint_may_not_see_stays_hidden_from_it(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, accounts=["shop"]))
    world.rules('[[rule]]\nid = "tell"\nwhy = "it wants to know"\nforward = "crm"\n[rule.match]\nerror = [27]\n')
    world.handle(report("m-1", status=9, error=27))
    world.send()
    assert target.seen == []
    assert any("`accounts` do not name main" in title for title in world.fold())


def test_a_forgotten_person_is_told_of_no_more(make_world: MakeWorld, target: Target, database: Database) -> None:
    world = make_world(table(target, include=["address"]))
    world.handle(report("m-1"), report("m-2", to="447700900999"))
    person = world.context.vault.hash_address("main", PERSON)
    done = world.database.repeat(lambda c: remove(c, [person], "…23", PERSON.__eq__, datetime.now(UTC)))
    assert done["outgoing events"] == 1
    world.send()
    assert [opened(seen)["data"]["messageId"] for seen in target.seen] == ["m-2"]
    assert len(world.rows(events)) == 1


def test_strange_text_leaves_as_valid_json(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(json.loads(json.dumps(report("m-\u20ac\U0001f600", sender="Gr\u00fc\u00df"))))
    world.send()
    assert opened(target.seen[0])["data"]["messageId"] == "m-\u20ac\U0001f600"


def test_nobody_waits_for_rows_of_a_line_that_is_paused_by_hand(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1"))
    with world.database.transaction() as connection:
        outbox.pause(connection, "forward", "crm", world.clock())
    world.send()
    assert target.seen == []
    with world.database.transaction() as connection:
        assert outbox.resume(connection, "forward", "crm", datetime.now(UTC)) == 1
    world.send()
    assert len(target.seen) == 1


def test_events_are_kept_for_their_time_and_as_long_as_they_wait(make_world: MakeWorld, target: Target) -> None:
    target.replies.append(status(200))
    target.always = status(400)
    world = make_world(table(target, events=["message.*"], give_up_after="14d"))
    world.handle(report("m-1"))
    world.send()
    world.handle(report("m-2"))
    world.send()
    long = timedelta(days=400)
    limits = retention.Limits(long, long, long, long, timedelta(days=10))
    retention.purge(world.database, limits, datetime.now(UTC) + timedelta(days=9))
    assert len(world.rows(events)) == 2
    retention.purge(world.database, limits, datetime.now(UTC) + timedelta(days=11))
    assert [json.loads(row.data)["messageId"] for row in world.rows(events)] == ["m-2"]
