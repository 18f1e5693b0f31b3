"""The client of the Subscriptions API against the simulator: pages, repetition, and what an answer proves."""

from typing import Any

import pytest

from config.secrets import Secret
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey
from infobip.outbound.errors import SubscriptionsRefused
from infobip.outbound.subscriptions import PROFILE, SECURITY, SUBSCRIPTION, SubscriptionsApi
from infobip.outbound.transport import Transport
from infobip.simulator import Simulator
from tests.support.infobip import AT_ONCE, KEY, infobip

SETTING: dict[str, Any] = {"type": "HMAC", "credentials": {"secretKey": "k", "algorithm": "HMAC_SHA_256"}}


@pytest.fixture
def simulator() -> Any:
    with infobip() as found:
        yield found


def api_of(simulator: Simulator, waits: list[float] | None = None) -> SubscriptionsApi:
    pause = (lambda seconds: None) if waits is None else waits.append
    return SubscriptionsApi(Client(simulator.url, AppKey(Secret(KEY)), Transport()), pause)


def faulty(simulator: Simulator, times: int, **fault: Any) -> None:
    rule = {"name": "fault", "match": {"api": "subscriptions", "times": times}, "fault": fault}
    simulator.load({**AT_ONCE, "rule": [rule]})


def test_all_pages_of_a_list_are_read(simulator: Simulator) -> None:
    profile = {"profileId": "p", "webhook": {"notifyUrl": "https://x.example.com"}}
    api = api_of(simulator)
    api.create(PROFILE, "p", profile)
    for number in range(230):
        body = {
            "subscriptionId": f"s-{number}",
            "events": ["CLICK"],
            "resources": [str(number)],
            "profile": {"profileId": "p"},
        }
        api.create(SUBSCRIPTION, f"s-{number}", body, "SMS")
    assert {one["subscriptionId"] for one in api.listed("SMS")} == {f"s-{number}" for number in range(230)}
    assert api.listed("MMS") == []


def test_what_is_not_there_is_nothing_and_may_be_deleted(simulator: Simulator) -> None:
    api = api_of(simulator)
    assert api.read(SECURITY, "none") is None
    api.delete(SECURITY, "none")
    with pytest.raises(SubscriptionsRefused) as caught:
        api.replace(SECURITY, "none", SETTING)
    assert caught.value.http == 404


def test_it_waits_as_long_as_it_is_asked_to_within_bounds_and_gives_up(simulator: Simulator) -> None:
    waits: list[float] = []
    faulty(simulator, 2, status=429, retry_after="7s")
    assert api_of(simulator, waits).read(SECURITY, "x") is None
    assert waits == [7.0, 7.0]
    waits.clear()
    faulty(simulator, 99, status=429, retry_after="10m")
    with pytest.raises(SubscriptionsRefused, match="429") as caught:
        api_of(simulator, waits).read(SECURITY, "x")
    assert waits == [30.0] * 3
    assert not caught.value.open_outcome


def test_a_post_is_repeated_only_where_nothing_is_there(simulator: Simulator) -> None:
    for fault in ({"drop": "after"}, {"drop": "before"}, {"status": 500}):
        faulty(simulator, 1, **fault)
        api_of(simulator).create(SECURITY, "a", {"authId": "a", **SETTING})
        assert simulator.world.subscriptions.securities["a"]["credentials"]["secretKey"] == "k"
        api_of(simulator).delete(SECURITY, "a")


@pytest.mark.parametrize(
    ("status", "words"), [(401, "credential"), (403, "subscriptions:manage"), (409, "show"), (400, "settings")]
)
def test_a_refusal_carries_its_next_step(simulator: Simulator, status: int, words: str) -> None:
    faulty(simulator, 1, status=status)
    with pytest.raises(SubscriptionsRefused, match=str(status)) as caught:
        api_of(simulator).create(SECURITY, "a", {"authId": "a", **SETTING})
    assert words in caught.value.next_step
    assert not caught.value.open_outcome
    assert simulator.world.subscriptions.securities == {}
