"""E-mail suppressions of sender domains, and push registrations."""

from datetime import timedelta
from typing import Any

import pytest

from config.sync import Switches
from tests.support.infobip import call
from tests.sync.world import World

ADA, BOB = "ada@example.net", "bob@example.net"
DEVICE, OTHER = "reg-0001-ab", "reg-0002-cd"


@pytest.fixture
def mail(world: World) -> World:
    world.switches = Switches(email_domains=("shop.example", "news.example"))
    return world


def suppressed(world: World) -> list[tuple[str, str, str]]:
    return sorted(world.infobip.world.suppressions._since)


def test_bounces_and_complaints_go_to_the_domains_that_are_named(mail: World) -> None:
    mail.suppress(ADA, channel="email", cause="recipient_unknown")
    mail.suppress(BOB, channel="email", cause="recipient_complained", sender="Shop <hello@shop.example>")
    mail.suppress("eve@example.net", channel="email", cause="recipient_opted_out")
    mail.suppress("max@example.net", channel="email", cause="recipient_unknown", sender="x@other.example")
    mail.sync()
    assert suppressed(mail) == [
        ("news.example", ADA, "BOUNCE"),
        ("shop.example", ADA, "BOUNCE"),
        ("shop.example", BOB, "COMPLAINT"),
    ]
    assert mail.states() == {"add verified": 3}
    assert mail.infobip.counts()["suppressions"]["askedTwice"] == 0


def test_a_company_may_have_many_sender_domains(mail: World) -> None:
    domains = tuple(f"news-{number}.a-rather-long-name.example" for number in range(40))
    mail.having(email_domains=domains).suppress(ADA, channel="email", cause="recipient_unknown")
    mail.sync(6)
    assert {one[0] for one in suppressed(mail)} == set(domains)
    mail.having(email_domains=domains[1:])
    mail.sync(2)
    assert mail.states() == {"add verified": 40}, "what is no longer named is left as it is"


def test_a_bounce_that_is_lifted_here_is_taken_off_and_a_complaint_is_not(mail: World) -> None:
    mail.having(email_domains=("shop.example",))
    mail.suppress(ADA, channel="email", cause="recipient_unknown")
    mail.suppress(BOB, channel="email", cause="recipient_complained")
    mail.sync()
    mail.lift(ADA, BOB)
    mail.sync()
    assert suppressed(mail) == [("shop.example", BOB, "COMPLAINT")]
    assert mail.states(ADA) == {"remove verified": 1}
    [row] = mail.rows(BOB)
    assert (row.op, row.state) == ("", "there")
    assert "portal" in row.note


@pytest.mark.parametrize("before", [timedelta(hours=2), timedelta(seconds=10)])
def test_what_infobip_suppressed_by_itself_stays(mail: World, before: timedelta) -> None:
    mail.having(email_domains=("shop.example",))
    key = ("shop.example", ADA, "BOUNCE")
    mail.infobip.world.suppressions._since[key] = mail.clock() - before
    mail.suppress(ADA, channel="email", cause="recipient_unknown")
    mail.sync()
    assert mail.states(ADA) == {"there": 1}
    mail.lift(ADA)
    mail.sync()
    assert suppressed(mail) == [key]


def test_many_bounces_are_verified_by_reading_the_domain(mail: World) -> None:
    mail.having(email_domains=("shop.example",))
    mail.suppress(*[f"p{number}@example.net" for number in range(1_200)], channel="email", cause="recipient_unknown")
    mail.sync()
    assert mail.states() == {"add verified": 1_200}
    assert mail.infobip.counts()["suppressions"] == {"records": 1_200, "asked": 1_200, "askedTwice": 0}


def test_a_refused_address_costs_only_itself(mail: World) -> None:
    mail.having(email_domains=("shop.example",))
    mail.suppress(ADA, "no-address", BOB, channel="email", cause="recipient_unknown")
    mail.sync()
    assert [one[1] for one in suppressed(mail)] == [ADA, BOB]
    assert mail.states("no-address") == {"add refused": 1}
    assert "sync-refused" in mail.incidents()


def test_a_list_that_the_credential_may_not_touch_holds_up_no_other(mail: World) -> None:
    mail.having(blocklist=True, pull=True)
    rule: dict[str, Any] = {"name": "no scope", "match": {"api": "suppressions"}, "fault": {"status": 403}}
    mail.infobip.load({"otherwise": [{"after": 0}], "blocklist_delay": 0, "rule": [rule]})
    mail.put_there("447700900777", channel="SMS")
    mail.suppress(ADA, channel="email", cause="recipient_unknown")
    mail.sync(5)
    assert ("email:manage") in mail.incidents()["sync-stands-still"].next_step
    assert [row.state for row in mail.rows(ADA) if row.list == "blocklist"] == ["verified"]
    assert {row.state for row in mail.rows(ADA) if row.list == "email"} == {"to_push"}
    assert len(mail.entries("447700900777")) == 1
    mail.infobip.load({"otherwise": [{"after": 0}], "blocklist_delay": 0})
    mail.pull_again()
    mail.sync(5)
    assert {row.state for row in mail.rows(ADA)} == {"verified"}


@pytest.fixture
def push(world: World) -> World:
    world.switches = Switches(push=True)
    return world


def test_registrations_are_switched_off_and_on_again_when_lifted(push: World) -> None:
    push.suppress(DEVICE, channel="push", sender="APP-1")
    push.sync(3)
    assert push.infobip.world.devices.is_off(DEVICE)
    assert push.states() == {"add verified": 1}
    push.lift(DEVICE)
    push.sync(3)
    assert not push.infobip.world.devices.is_off(DEVICE)
    assert push.states() == {"remove verified": 1}


def test_what_the_person_switched_off_is_never_switched_on_by_us(push: World) -> None:
    body = {"systemData": {"registrationEnabled": False}}
    path = f"/people/2/contactInformation/push/{DEVICE}"
    assert call(push.infobip, "PATCH", path, json=body, headers={"AppCode": "APP-1"}).status_code == 200
    push.suppress(DEVICE, channel="push", sender="APP-1")
    push.sync(3)
    assert push.states() == {"there": 1}
    push.lift(DEVICE)
    push.sync(3)
    assert push.infobip.world.devices.is_off(DEVICE)


def test_a_registration_without_its_application_is_not_guessed(push: World) -> None:
    push.suppress(DEVICE, channel="push")
    push.sync(2)
    assert push.rows() == []


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_is_looked_up(push: World, drop: str) -> None:
    rule: dict[str, Any] = {"name": "lost", "match": {"api": "push", "times": 1}, "fault": {"drop": drop}}
    push.infobip.load({"otherwise": [{"after": 0}], "rule": [rule]})
    push.suppress(DEVICE, OTHER, channel="push", sender="APP-1")
    push.sync(8)
    assert all(push.infobip.world.devices.is_off(one) for one in (DEVICE, OTHER))
    assert push.states() == {"add verified": 2}


def test_an_unknown_registration_is_refused_with_the_reason(push: World) -> None:
    push.infobip.load({"otherwise": [{"after": 0}], "registrations": [OTHER]})
    push.suppress(DEVICE, OTHER, channel="push", sender="APP-1")
    push.sync(3)
    assert (push.states(DEVICE), push.states(OTHER)) == ({"add refused": 1}, {"add verified": 1})
