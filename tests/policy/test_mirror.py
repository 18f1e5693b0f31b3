"""What of our list belongs on Infobip's lists: never more than an entry says."""

import pytest

from infobip.outbound.lists import blocklist
from infobip.simulator import blocklist as theirs
from policy import mirror
from policy.mirror import Place, Standing, Wishes, obstacle, places_of

ALL = Wishes(blocklist=True, email_domains=("shop.example", "news.example"), push=True)


def entry(**more: object) -> Standing:
    plain = {"channel": "sms", "sender": "", "campaign": "", "purpose": "all", "cause": "recipient_unknown"}
    return Standing(**{**plain, "origin": "report", "ends": False, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"purpose": "marketing"}, mirror.ONE_PURPOSE),
        ({"campaign": "summer"}, mirror.ONE_CAMPAIGN),
        ({"channel": "voice"}, mirror.OTHER_CHANNEL),
        ({"origin": "infobip"}, mirror.FROM_THERE),
        ({"ends": True}, mirror.WITH_END),
        ({"channel": "push"}, mirror.NO_APPLICATION),
        ({"sender": "x" * 255}, mirror.OTHER_CHANNEL),
    ],
)
def test_what_would_say_something_else_there_is_on_no_list(more: dict[str, object], why: str) -> None:
    assert places_of(entry(**more), ALL) == ()
    assert obstacle(entry(**more), ALL) == why


def test_an_entry_is_as_wide_there_as_here() -> None:
    assert places_of(entry(), ALL) == (Place("blocklist", "sms", "", "CUSTOM"),)
    assert places_of(entry(channel=""), ALL) == (Place("blocklist", "", "", "CUSTOM"),)
    assert places_of(entry(channel="", sender="Shop"), ALL) == (Place("blocklist", "", "Shop", "CUSTOM"),)
    assert obstacle(entry(), ALL) == ""


@pytest.mark.parametrize("sender", ["a@news.example", "Us, and them <a@news.example>", "<a@news.example>"])
def test_an_email_sender_is_on_the_blocklist_without_its_name(sender: str) -> None:
    only = Wishes(blocklist=True)
    assert places_of(entry(channel="email", sender=sender), only) == (
        Place("blocklist", "email", "a@news.example", "CUSTOM"),
    )


def test_a_bounce_is_for_the_domains_it_was_for() -> None:
    only = Wishes(email_domains=ALL.email_domains)
    assert [one.scope for one in places_of(entry(channel="email"), only)] == ["shop.example", "news.example"]
    assert [one.scope for one in places_of(entry(channel="email", sender="Us <a@News.example>"), only)] == [
        "news.example"
    ]
    assert places_of(entry(channel="email", cause="recipient_opted_out"), only) == ()
    assert places_of(entry(channel="email", cause="recipient_complained"), only)[0].source == "COMPLAINT"


def test_a_push_registration_needs_its_application() -> None:
    assert places_of(entry(channel="push", application="APP"), ALL) == (Place("push", "push", "APP", ""),)


def test_nothing_is_on_a_list_that_is_off() -> None:
    for more in ({}, {"channel": "email"}, {"channel": "push", "sender": "APP"}):
        assert places_of(entry(**more), Wishes()) == ()


def test_policy_client_and_simulator_agree_on_the_channels_of_the_blocklist() -> None:
    assert {"", *blocklist.NAMES} == mirror.CHANNELS
    assert set(blocklist.NAMES.values()) == set(theirs.CREATABLE)
    assert {mirror.OURS, *mirror.OWN_STOPS} == set(theirs.SOURCES)
