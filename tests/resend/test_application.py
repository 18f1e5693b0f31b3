"""Resends by the application's own URL: signed, repeated under one id, and never after the world has changed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook

from config.accounts import Account, load_accounts
from config.relays import RelayTarget
from config.secrets import Secret
from config.settings import SettingsError, load_settings
from policy import load_policy
from store import incidents, resending
from store.database import Database
from store.schema import aliases, events, messages, retries
from store.suppressions import Entry, suppress
from store.vault import Vault
from tests.relay.world import HASTE, Handler, Seen, Target, serving, status
from tests.resend.world import PERSON, World
from tests.resend.world import world as make_world
from tests.support.desk import report
from workers.actions.post import Road
from workers.actions.resend.resender import Resender

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"


@pytest.fixture
def target() -> Iterator[Target]:
    with serving() as server:
        yield server


@pytest.fixture
def world(database: Database, vault: Vault, tmp_path: Path, target: Target) -> Iterator[World]:
    own = at(target)
    with make_world(database, vault, tmp_path, **own) as made:
        yield made


def at(target: Target, *, private: bool = True) -> dict[str, Any]:
    """Return what an account says of the application's URL."""
    return {"resend_url": RelayTarget.of(target.url), "resend_secret": Secret(SECRET), "resend_private": private}


def resender(world: World, owner: str = "resender") -> Resender:
    rules, road = world.desk.rules, Road(patience=HASTE)
    outlets, limiter = world.outlets(), world.limiter
    return Resender(
        world.desk.database, world.desk.vault, lambda: rules, outlets, limiter, owner, world.clock, road=road
    )


def run(world: World, **ahead: float) -> int:
    world.clock.pass_(**ahead)
    return resender(world).run(lambda: False)


def asked(seen: Seen) -> Any:
    """Return a request as the application reads it; its own library has verified it, whatever the clock says."""
    number, moment = seen.header("webhook-id"), int(seen.header("webhook-timestamp") or "0")
    at = datetime.fromtimestamp(moment, UTC)
    assert number is not None
    assert seen.header("webhook-signature") == Webhook(SECRET).sign(number, at, seen.body.decode())
    return json.loads(seen.body)


def says(content: Any, code: int = 200) -> Any:
    def reply(handler: Handler) -> None:
        handler.answer(code, body=json.dumps(content).encode())

    return reply


def test_a_resend_without_content_is_asked_of_the_application(world: World, target: Target) -> None:
    world.fail()
    run(world, hours=1)
    (seen,) = target.seen
    request = asked(seen)
    assert request["type"] == "resend.requested"
    data = request["data"]
    assert (data["messageId"], data["newMessageId"], data["attempt"]) == ("m-1", "m-1-r1", 1)
    assert (data["to"], data["channel"], data["sender"]) == (PERSON, "sms", "Shop")
    assert PERSON not in seen.path
    assert world.states() == [(1, "accepted")]
    assert world.infobip.sends() == []


def test_a_delivery_of_the_proposed_id_counts_for_the_original(world: World, target: Target) -> None:
    world.fail()
    run(world, hours=1)
    world.deliver("m-1-r1")
    (message,) = world.desk.rows(messages)
    assert (message.message_id, message.state) == ("m-1", "delivered")


def test_the_application_may_name_the_new_id_itself(world: World, target: Target) -> None:
    target.replies.append(says({"messageId": "their-own-9"}))
    world.fail()
    run(world, hours=1)
    assert world.rows()[0].new_id == "their-own-9"
    world.deliver("their-own-9")
    (message,) = world.desk.rows(messages)
    assert (message.message_id, message.state) == ("m-1", "delivered")


def test_an_answer_with_the_old_id_makes_no_alias_of_it(world: World, target: Target) -> None:
    target.replies.append(says({"messageId": "m-1"}))
    world.fail()
    run(world, hours=1)
    assert {row.attempt for row in world.desk.rows(aliases)} == {1}
    world.deliver("m-1")
    (message,) = world.desk.rows(messages)
    assert json.loads(message.legs)[""][0] == "delivered"


@pytest.mark.parametrize("code", [409, 410])
def test_the_application_may_refuse(world: World, target: Target, code: int) -> None:
    target.always = status(code)
    world.fail()
    run(world, hours=1)
    run(world, hours=1)
    assert len(target.seen) == 1
    assert world.states() == [(1, "refused")]


def test_what_has_content_leaves_for_infobip_unless_the_account_wants_it_otherwise(
    database: Database, vault: Vault, tmp_path: Path, target: Target, world: World
) -> None:
    world.register()
    world.fail()
    run(world, hours=1)
    assert target.seen == []
    assert world.states() == [(1, "accepted")]
    own = at(target)
    with make_world(database, vault, tmp_path, resend_always=True, **own) as other:
        other.register("m-2")
        other.fail("m-2")
        run(other, hours=1)
    assert [asked(seen)["data"]["messageId"] for seen in target.seen] == ["m-2"]


def test_a_lost_answer_is_asked_for_again_under_the_same_id(world: World, target: Target) -> None:
    target.replies += [lambda handler: setattr(handler, "close_connection", True), status(503)]
    world.fail()
    run(world, hours=1)
    assert world.states() == [(1, "planned")]
    run(world, minutes=20)
    run(world, minutes=20)
    assert world.states() == [(1, "accepted")]
    assert len(target.seen) == 3
    assert len({seen.header("webhook-id") for seen in target.seen}) == 1
    assert {asked(seen)["data"]["newMessageId"] for seen in target.seen} == {"m-1-r1"}


def test_a_crash_between_request_and_record_asks_again_under_the_same_id(world: World, target: Target) -> None:
    world.fail()
    world.clock.pass_(hours=1)
    dying = resender(world, "dying")
    (one,) = resending.claim(world.desk.database, "dying", world.clock(), 1)
    application = dying._application
    request = world.desk.database.repeat(lambda c: application._decide(c, one, None))
    assert request is not None
    application._post(one, request)  # and here its worker is killed
    assert world.states() == [(1, "sending")]
    run(world, seconds=resending.LEASE.total_seconds() + 1)
    assert world.states() == [(1, "accepted")]
    assert [seen.header("webhook-id") for seen in target.seen] == [f"resend_{one.id}"] * 2


def test_what_may_have_reached_the_application_never_leaves_for_infobip(world: World, target: Target) -> None:
    target.always = status(503)
    world.fail()
    run(world, hours=1)
    world.register()  # its content comes only now
    target.always = status(200)
    run(world, minutes=30)
    assert len(target.seen) == 2
    assert world.states() == [(1, "accepted")]


def test_everything_is_asked_again_before_each_request(world: World, target: Target) -> None:
    target.always = status(503)
    world.fail()
    run(world, hours=1)
    world.desk.handle({"from": PERSON, "to": "Shop", "text": "STOP", "receivedAt": _date(), "messageId": "in-1"})
    run(world, minutes=30)
    assert len(target.seen) == 1
    assert world.states() == [(1, "cancelled")]


def test_a_delivery_in_between_ends_it(world: World, target: Target) -> None:
    target.always = status(503)
    world.fail()
    run(world, hours=1)
    world.deliver()
    run(world, minutes=30)
    assert len(target.seen) == 1
    assert world.states() == [(1, "cancelled")]


def test_a_dead_application_holds_its_resends_and_delays_no_others(
    world: World, target: Target, database: Database
) -> None:
    target.always = status(503)
    world.register("good")
    for number in range(8):
        world.desk.handle(report(f"m-{number}", status=9, error=27, doneAt=_date(), to=f"4477009002{number:02}"))
    world.fail("good")
    run(world, hours=1)
    assert len(target.seen) == 3
    states = {row.new_id or row.note: row.state for row in world.rows()}
    assert states["good-r1"] == "accepted"
    assert "the application's resend URL does not work" in states
    target.always = status(200)
    run(world, minutes=30)
    run(world, minutes=30)
    assert {state for _, state in world.states()} == {"accepted"}


def test_what_waited_for_its_content_is_taken_up_once_there_is_a_url(
    database: Database, vault: Vault, tmp_path: Path, target: Target
) -> None:
    with make_world(database, vault, tmp_path) as before:
        before.fail()
        before.run(hours=1)
        assert before.states() == [(1, "waiting")]
    own = at(target)
    with make_world(database, vault, tmp_path, **own) as after:
        run(after, hours=1)
        assert after.states() == [(1, "accepted")]
    assert len(target.seen) == 1


def test_a_private_address_gets_nothing_unless_it_is_allowed(
    database: Database, vault: Vault, tmp_path: Path, target: Target
) -> None:
    own = at(target, private=False)
    with make_world(database, vault, tmp_path, **own) as world:
        world.fail()
        run(world, hours=1)
        assert target.connections == 0
        assert world.states() == [(1, "planned")]
        opened = database.repeat(lambda c: incidents.fold(c, world.clock()))
    assert any("resend_private" in one.next_step for one in opened)


def test_a_person_who_wants_no_marketing_gets_nothing_that_nobody_declared(
    database: Database, vault: Vault, tmp_path: Path, target: Target
) -> None:
    own = at(target)
    policy = tmp_path / "undeclared.toml"
    policy.write_text('version = 1\n[modes]\nretry = "act"\n', "utf-8")
    with make_world(database, vault, tmp_path, **own) as world:
        world.desk.rules = load_policy(policy)
        now, person = datetime.now(UTC), vault.hash_address("main", PERSON)
        world.fail()
        entry = Entry("main", person, "", "", "", "marketing", "recipient_dnd", "r", "x", "active", now, None, {})
        with database.transaction() as connection:
            suppress(connection, [entry], now, "test")
            connection.execute(update(retries).values(due_at=now))
        run(world)
        assert target.seen == []
        assert world.states() == [(1, "cancelled")]


@pytest.mark.parametrize(("channel", "sender"), [("sms", ""), ("", "Shop"), ("sms", "Shop")])
def test_nothing_is_asked_for_whom_an_operator_stopped_on_the_channel_or_sender_of_what_failed(
    world: World, target: Target, channel: str, sender: str
) -> None:
    world.fail()
    person = world.desk.vault.hash_address("main", PERSON)
    opt_out = ("all", "recipient_opted_out", "", "operator", "active")
    entry = Entry("main", person, channel, sender, "", *opt_out, datetime.now(UTC), None, {})
    world.desk.database.repeat(lambda c: suppress(c, [entry], datetime.now(UTC), "ann"))
    run(world, hours=1)
    assert target.seen == []
    assert world.states() == [(1, "cancelled")]


def test_an_id_in_the_last_answer_of_a_connection_is_read(world: World, target: Target) -> None:
    body = json.dumps({"messageId": "their-own-9"}).encode()
    target.replies.append(lambda handler: handler.answer(200, {"Connection": "close"}, body))
    world.fail()
    run(world, hours=1)
    assert world.rows()[0].new_id == "their-own-9"


@pytest.mark.parametrize(
    "body", [b"", b"ok", b"[1]", b'{"messageId": 5}', b'{"messageId": ""}', b"\xff{", b'{"a":' * 9]
)
def test_an_answer_that_names_no_id_is_an_answer_all_the_same(world: World, target: Target, body: bytes) -> None:
    target.replies.append(lambda handler: handler.answer(200, body=body))
    world.fail()
    run(world, hours=1)
    assert [(row.state, row.new_id) for row in world.rows()] == [("accepted", "m-1-r1")]


def test_a_one_time_code_that_nobody_registered_is_not_asked_for_late(
    database: Database, vault: Vault, tmp_path: Path, target: Target
) -> None:
    policy = tmp_path / "codes.toml"
    policy.write_text('version = 1\n[modes]\nretry = "act"\n[purposes]\ndefault = {"*" = "otp"}\n', "utf-8")
    with make_world(database, vault, tmp_path, **at(target)) as world:
        world.fail()
        world.desk.rules = load_policy(policy)
        run(world, hours=1)
        assert target.seen == []
        assert world.states() == [(1, "expired")]


def accounts(folder: Path, text: str) -> Account:
    file = folder / "accounts.toml"
    file.write_text(text)
    return load_accounts(load_settings({"DLR_ACCOUNTS": str(file), "DLR_STATE_DIR": str(folder)}))["main"]


def test_an_account_names_its_url_and_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    found = accounts(tmp_path, '[main]\nresend_url = "https://app.example.com/r"\nresend_secret_file = "secret"\n')
    assert found.resend_url is not None
    assert (found.resend_url.origin, found.resend_secret.values()) == ("https://app.example.com", (SECRET,))
    assert not found.resend_always


def test_another_account_does_not_inherit_the_url(tmp_path: Path) -> None:
    text = f'[main]\nresend_url = "https://a.example.com"\nresend_secret = "{SECRET}"\n[shop]\ntime_zone = "UTC"\n'
    accounts(tmp_path, text)
    found = load_accounts(load_settings({"DLR_ACCOUNTS": str(tmp_path / "accounts.toml")}))["shop"]
    assert found.resend_url is None
    assert not found.resend_secret


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'resend_url = "http://a.example.com"\nresend_secret = "x"',
            ("resend_url: http://", "resend_secret: it is not"),
        ),
        ('resend_url = "https://a.example.com"', ("write one of resend_secret and resend_secret_file",)),
        ("resend_always = true", ("resend_url: it is missing",)),
        ('resend_url = "https://a.example.com"\nresend_secret_file = "gone"', ("resend_secret_file: ", "gone")),
    ],
)
def test_mistakes_of_the_url_and_secret_are_told(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as told:
        accounts(tmp_path, f"[main]\n{text}\n")
    for word in words:
        assert word in str(told.value)


def _date() -> str:
    return (datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def test_nothing_is_told_where_nobody_listens(world: World, target: Target) -> None:
    world.fail()
    run(world, hours=1)
    assert list(world.desk.rows(events)) == []
