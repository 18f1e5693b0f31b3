"""The Subscriptions Management API."""

from typing import Any

import pytest

from infobip.simulator import Simulator
from tests.support.infobip import call

SECURITY: dict[str, Any] = {
    "authId": "auth-1",
    "type": "HMAC",
    "credentials": {"secretKey": "s3cret-71", "algorithm": "HMAC_SHA_256"},
}
PROFILE: dict[str, Any] = {
    "profileId": "profile-1",
    "webhook": {"notifyUrl": "http://127.0.0.1:9/dlr"},
    "security": {"authId": "auth-1"},
    "maxBucketSize": 500,
}
SUBSCRIPTION: dict[str, Any] = {
    "subscriptionId": "sms-1",
    "name": "reports of the shop",
    "events": ["DELIVERY"],
    "profile": {"profileId": "profile-1"},
}
BASE = "/subscriptions/1"


def create_all(simulator: Simulator) -> list[str]:
    steps = (("security", SECURITY), ("profiles", PROFILE), ("subscription/SMS", SUBSCRIPTION))
    answers = [call(simulator, "POST", f"{BASE}/{path}", json=body) for path, body in steps]
    assert [answer.status_code for answer in answers] == [201, 201, 201], [answer.text for answer in answers]
    return [answer.headers["Location"] for answer in answers]


def test_what_was_created_is_at_its_location_and_in_the_list_without_secrets(simulator: Simulator) -> None:
    places = create_all(simulator)
    texts = [call(simulator, "GET", place).text for place in places]
    assert [key in text for key, text in zip(("auth-1", "profile-1", "sms-1"), texts, strict=True)] == [True] * 3
    listed = call(simulator, "GET", f"{BASE}/subscription/SMS").json()
    assert [one["profile"]["webhook"]["notifyUrl"] for one in listed["results"]] == ["http://127.0.0.1:9/dlr"]
    assert listed["paging"]["totalResults"] == 1
    assert "s3cret-71" not in "".join((*texts, str(listed)))


def test_a_subscription_may_bring_its_profile_and_security_along(simulator: Simulator) -> None:
    body = {**SUBSCRIPTION, "profile": {**PROFILE, "security": SECURITY}}
    assert call(simulator, "POST", f"{BASE}/subscription/SMS", json=body).status_code == 201
    assert call(simulator, "GET", f"{BASE}/security/auth-1").json()["type"] == "HMAC"
    assert call(simulator, "GET", f"{BASE}/profiles/profile-1").json()["maxBucketSize"] == 500


def test_updating_replaces_all_but_the_id(simulator: Simulator) -> None:
    create_all(simulator)
    changed = {**SUBSCRIPTION, "subscriptionId": "another", "events": ["DELIVERY", "CLICK"]}
    assert call(simulator, "PUT", f"{BASE}/subscription/SMS/sms-1", json=changed).status_code == 200
    profile = {"webhook": {"notifyUrl": "http://127.0.0.1:9/new"}}
    assert call(simulator, "PUT", f"{BASE}/profiles/profile-1", json=profile).status_code == 200
    security = {"type": "BASIC", "credentials": {"username": "ada", "password": "pw"}}
    assert call(simulator, "PUT", f"{BASE}/security/auth-1", json=security).status_code == 200
    shown = call(simulator, "GET", f"{BASE}/subscription/SMS/sms-1").json()
    assert (shown["events"], shown["profile"]["webhook"]) == (["DELIVERY", "CLICK"], profile["webhook"])
    assert "name" in shown
    assert "maxBucketSize" not in shown["profile"]


def test_deleting_goes_from_the_subscription_to_the_security(simulator: Simulator) -> None:
    places = create_all(simulator)
    early = [call(simulator, "DELETE", place).status_code for place in places[:2]]
    late = [call(simulator, "DELETE", place).status_code for place in reversed(places)]
    gone = [call(simulator, "GET", place).status_code for place in places]
    assert (early, late, gone) == ([409, 409], [204] * 3, [404] * 3)


def test_what_is_there_already_is_a_conflict(simulator: Simulator) -> None:
    create_all(simulator)
    steps = (("security", SECURITY), ("profiles", PROFILE), ("subscription/MMS", SUBSCRIPTION))
    answers = [call(simulator, "POST", f"{BASE}/{path}", json=body) for path, body in steps]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert answers[0].json()["requestError"]["serviceException"]["messageId"] == "CONFLICT"


@pytest.mark.parametrize(
    ("channel", "more", "status"),
    [
        ("SMS", {}, 409),
        ("SMS", {"criteria": [{"applicationId": "orders"}]}, 201),
        ("SMS", {"resources": ["Shop"]}, 201),
        ("SMS", {"events": ["CLICK"]}, 201),
        ("VIBER", {}, 201),
    ],
)
def test_two_subscriptions_for_the_same_events_conflict(
    simulator: Simulator, channel: str, more: dict[str, Any], status: int
) -> None:
    create_all(simulator)
    body = {**SUBSCRIPTION, "subscriptionId": "sms-2", **more}
    assert call(simulator, "POST", f"{BASE}/subscription/{channel}", json=body).status_code == status


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("subscription/PIGEON", SUBSCRIPTION, "channel"),
        ("subscription/SMS", {**SUBSCRIPTION, "events": []}, "events"),
        ("subscription/SMS", {**SUBSCRIPTION, "subscriptionId": "a b"}, "subscriptionId"),
        ("profiles", {**PROFILE, "webhook": {"notifyUrl": "ftp://x"}}, "webhook.notifyUrl"),
        ("profiles", {**PROFILE, "webhook": {"notifyUrl": f"http://x/{'y' * 510}"}}, "webhook.notifyUrl"),
        ("profiles", {**PROFILE, "maxBucketSize": 2001}, "maxBucketSize"),
        ("profiles", {**PROFILE, "readTimeout": 10}, "readTimeout"),
        ("security", {**SECURITY, "type": "HANDSHAKE"}, "type"),
        ("security", {**SECURITY, "credentials": {"algorithm": "HMAC_SHA_256"}}, "credentials.secretKey"),
        ("security", {**SECURITY, "credentials": {"secretKey": "k", "algorithm": "ROT13"}}, "credentials.algorithm"),
    ],
)
def test_what_is_wrong_is_named(simulator: Simulator, path: str, body: dict[str, Any], place: str) -> None:
    answer = call(simulator, "POST", f"{BASE}/{path}", json=body)
    assert answer.status_code == 400
    assert list(answer.json()["requestError"]["serviceException"]["validationErrors"]) == [place]


def test_a_profile_that_there_is_not_is_404(simulator: Simulator) -> None:
    assert call(simulator, "POST", f"{BASE}/subscription/SMS", json=SUBSCRIPTION).status_code == 404
    assert call(simulator, "POST", f"{BASE}/profiles", json=PROFILE).status_code == 404
    assert call(simulator, "PUT", f"{BASE}/profiles/none", json=PROFILE).status_code == 404
