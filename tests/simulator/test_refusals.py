"""Requests that Infobip refuses, in the shape that each part of its API has."""

from base64 import b64encode
from typing import Any

import pytest

from infobip.simulator import Simulator
from infobip.simulator.credentials import USER
from tests.simulator.bodies import BY_PATH, DOORS, PERSON, current, legacy
from tests.support.infobip import KEY, call, infobip, sms

LEGACY_PATHS = [door.path for door in DOORS if door.legacy]
CURRENT_PATHS = [door.path for door in DOORS if not door.legacy]


def basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize("path", CURRENT_PATHS)
def test_the_newer_endpoints_refuse_in_the_newer_shape(simulator: Simulator, path: str) -> None:
    answer = call(simulator, "POST", path, json={}, credential="App wrong")
    assert answer.status_code == 401
    assert answer.json().keys() == {"errorCode", "description", "action", "violations", "resources"}
    assert answer.json()["errorCode"] == "E401"
    assert call(simulator, "POST", path, json={}).json()["violations"][0]["property"] == "messages"


@pytest.mark.parametrize("path", LEGACY_PATHS)
def test_the_older_endpoints_refuse_in_the_older_shape(simulator: Simulator, path: str) -> None:
    answer = call(simulator, "POST", path, json={}, credential="App wrong")
    assert answer.status_code == 401
    assert answer.json()["requestError"]["serviceException"]["messageId"] == "UNAUTHORIZED"
    bad = call(simulator, "POST", path, json={})
    exception = bad.json()["requestError"]["serviceException"]
    assert (bad.status_code, exception["messageId"]) == (400, "BAD_REQUEST")
    assert exception["validationErrors"]


@pytest.mark.parametrize(
    "credential", ["", "App", "App nearly", f"Bearer {KEY}", f"Basic {KEY}", basic(USER, "wrong"), basic("x", KEY)]
)
def test_a_wrong_credential_is_refused(simulator: Simulator, credential: str) -> None:
    assert call(simulator, "POST", "/sms/3/messages", json=sms(), credential=credential).status_code == 401
    assert simulator.sends() == []


def test_basic_is_a_credential(simulator: Simulator) -> None:
    assert call(simulator, "POST", "/sms/3/messages", json=sms(), credential=basic(USER, KEY)).status_code == 200


def test_a_bearer_token_is_a_credential_for_an_hour(simulator: Simulator) -> None:
    form = {"client_id": USER, "client_secret": KEY, "grant_type": "client_credentials"}
    token = call(simulator, "POST", "/auth/1/oauth2/token", data=form, credential="").json()
    assert token["token_type"] == "Bearer"
    header = f"Bearer {token['access_token']}"
    assert call(simulator, "GET", "/account/1/balance", credential=header).status_code == 200
    simulator.advance(token["expires_in"] + 1)
    assert call(simulator, "GET", "/account/1/balance", credential=header).status_code == 401


def test_a_token_needs_the_right_secret_and_grant(simulator: Simulator) -> None:
    form = {"client_id": USER, "client_secret": "wrong", "grant_type": "client_credentials"}
    assert call(simulator, "POST", "/auth/1/oauth2/token", data=form).status_code == 401
    assert call(simulator, "POST", "/auth/1/oauth2/token", data={**form, "grant_type": "password"}).status_code == 400


def test_a_session_token_is_a_credential(simulator: Simulator) -> None:
    token = call(simulator, "POST", "/auth/1/session", json={"username": USER, "password": KEY}).json()["token"]
    assert call(simulator, "GET", "/account/1/balance", credential=f"IBSSO {token}").status_code == 200


def test_an_address_that_there_is_not_is_404(simulator: Simulator) -> None:
    answer = call(simulator, "POST", "/sms/4/messages", json=sms())
    assert answer.status_code == 404
    assert answer.json()["requestError"]["serviceException"]["messageId"] == "NOT_FOUND"
    assert call(simulator, "GET", "/sms/3/messages").status_code == 405


def changed(**more: Any) -> dict[str, Any]:
    body = current({"text": "Hi"})
    body["messages"][0] |= more
    return body


TOO_LONG = {"to": PERSON, "messageId": "x" * 201}
NOTE = {"callbackData": "x" * 4001}


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/sms/3/messages", [], "request"),
        ("/sms/3/messages", {"messages": "all"}, "messages"),
        ("/sms/3/messages", {"messages": [71]}, "messages[0]"),
        ("/sms/3/messages", {"messages": [{"destinations": [{"to": PERSON}]}]}, "messages[0].content"),
        ("/sms/3/messages", changed(destinations=[]), "messages[0].destinations"),
        ("/sms/3/messages", changed(destinations=[{"to": ""}]), "messages[0].destinations[0].to"),
        ("/sms/3/messages", changed(destinations=[TOO_LONG]), "messages[0].destinations[0].messageId"),
        ("/sms/3/messages", changed(webhooks=NOTE), "messages[0].webhooks.callbackData"),
        ("/sms/3/messages", changed(webhooks={"contentType": "text/csv"}), "messages[0].webhooks.contentType"),
        ("/sms/3/messages", changed(webhooks={"delivery": {"url": "no"}}), "messages[0].webhooks.delivery.url"),
        ("/sms/3/messages", {**sms(), "options": {"schedule": {"sendAt": "soon"}}}, "options.schedule.sendAt"),
        ("/push/3/messages", changed(destinations=[{"type": "PIGEON"}]), "messages[0].destinations[0].type"),
        ("/messages-api/1/messages", changed(channel="EMAIL"), "messages[0].channel"),
    ],
)
def test_what_is_wrong_is_named_in_the_newer_shape(simulator: Simulator, path: str, body: Any, place: str) -> None:
    answer = call(simulator, "POST", path, json=body)
    assert answer.status_code == 400
    assert answer.json()["violations"][0]["property"] == place


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/sms/2/text/advanced", legacy(), "messages[0].text"),
        ("/tts/3/advanced", legacy(text="Hi", callbackData="x" * 701), "messages[0].callbackData"),
        ("/whatsapp/1/message/text", {"from": "1", "to": PERSON}, "content"),
        ("/omni/1/advanced", {**BY_PATH["/omni/1/advanced"].body, "scenarioKey": ""}, "scenarioKey"),
    ],
)
def test_what_is_wrong_is_named_in_the_older_shape(simulator: Simulator, path: str, body: Any, place: str) -> None:
    answer = call(simulator, "POST", path, json=body)
    assert answer.status_code == 400
    assert list(answer.json()["requestError"]["serviceException"]["validationErrors"]) == [place]


def test_the_older_sms_endpoint_clips_an_id_that_is_too_long(simulator: Simulator) -> None:
    body = legacy(text="Hi")
    body["messages"][0]["destinations"] = [TOO_LONG]
    (message,) = call(simulator, "POST", "/sms/2/text/advanced", json=body).json()["messages"]
    assert message["messageId"] == "x" * 200


def test_what_is_no_json_is_refused(simulator: Simulator) -> None:
    for body in (b"", b"{", b"[" * 100_000):
        assert call(simulator, "POST", "/sms/3/messages", data=body).status_code == 400


def test_a_rate_limit_that_infobip_states_holds_on_the_simulated_clock() -> None:
    with infobip() as simulator:
        answers = [call(simulator, "GET", "/sms/3/logs").status_code for _ in range(121)]
        assert answers.count(200) == 120
        assert answers[-1] == 429
        assert call(simulator, "GET", "/sms/3/logs").json()["errorCode"] == "E429"
        simulator.advance(61)
        assert call(simulator, "GET", "/sms/3/logs").status_code == 200


def test_rate_limits_can_be_switched_off() -> None:
    with infobip({"limits": False}) as simulator:
        assert {call(simulator, "GET", "/platform/1/blocklists").status_code for _ in range(4)} == {200}
