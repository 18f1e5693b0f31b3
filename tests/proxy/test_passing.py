"""The application changes its base URL and nothing else: requests and answers pass as they are."""

import json
import logging

import pytest
import requests

from infobip.simulator import Simulator
from store import api_keys
from tests.proxy.upstream import Upstream, answers
from tests.proxy.world import AUTHORIZATION, Proxy, World
from tests.support.infobip import PERSON, sms
from tests.webhook.world import wait_for

ODD = "/people/2/persons?query=%7B%22a%22%3A%201%2B1%7D&page=2&empty=&q=a%20b+c"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_method_query_body_and_headers_pass_unchanged(plain: World, upstream: Upstream, method: str) -> None:
    upstream.reply = answers(207, b"\x00binary", ("Content-Type", "application/x-odd"), ("X-Two", "a"), ("X-Two", "b"))
    headers = {**AUTHORIZATION, "Content-Type": "application/x-odd", "X-Custom": "kept", "User-Agent": "shop/3"}
    client = plain.app().test_client()
    answer = client.open(f"/proxy/{plain.key}{ODD}", method=method, data=b"\xff\x00 bytes", headers=headers)
    (seen,) = upstream.seen
    assert (seen.method, seen.path, seen.body) == (method, ODD, b"\xff\x00 bytes")
    assert [seen.header(name) for name in headers] == list(headers.values())
    assert (answer.status_code, answer.data) == (207, b"\x00binary")
    assert answer.headers.getlist("X-Two") == ["a", "b"]
    assert answer.headers["Content-Type"] == "application/x-odd"


def test_no_header_is_added_that_the_application_did_not_send(plain: World, upstream: Upstream) -> None:
    client = plain.app().test_client()
    client.get(f"/proxy/{plain.key}/account/1/balance", headers={"User-Agent": ""})
    (seen,) = upstream.seen
    assert {name.lower() for name, _ in seen.headers} <= {"host", "accept-encoding", "connection", "user-agent"}


def test_no_header_is_added_to_the_answer_or_doubled(plain: World, upstream: Upstream, proxy: type[Proxy]) -> None:
    upstream.reply = answers(204, b"", ("Date", "Tue, 24 Nov 2026 10:00:00 GMT"), ("Server", "theirs"), ("X-Id", "7"))
    answer = requests.get(f"{proxy(plain).base}/account/1/balance", timeout=10)
    assert (answer.status_code, answer.headers["X-Id"]) == (204, "7")
    assert "Content-Type" not in answer.headers
    assert "," not in answer.headers["Server"]


def test_a_known_send_passes_byte_for_byte(plain: World, upstream: Upstream) -> None:
    body = (
        b'{ "messages" : [ {"destinations":[{"to":"447700900123" }],"content":{"text":"1.10 \\u20ac"} , "n":1.10} ] }'
    )
    plain.send(data=body, headers={"Content-Type": "application/json"})
    assert upstream.seen[0].body == body
    assert plain.states() == ["unknown"]


def test_a_send_that_cannot_be_read_is_infobips_to_judge(plain: World, upstream: Upstream) -> None:
    upstream.reply = answers(400, b'{"errorCode":"E400"}')
    answer = plain.send(data=b"not json", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.data) == (400, b'{"errorCode":"E400"}')
    assert upstream.seen[0].body == b"not json"
    assert plain.states() == []


def test_a_redirect_is_passed_on_and_never_followed(plain: World, upstream: Upstream) -> None:
    upstream.reply = answers(307, b"", ("Location", "/somewhere/else"))
    answer = plain.send(sms(message_id="m-1"))
    assert (answer.status_code, answer.headers["Location"]) == (307, "/somewhere/else")
    assert len(upstream.seen) == 1


def test_a_wrong_key_is_a_page_that_is_not_there(plain: World, upstream: Upstream) -> None:
    client = plain.app().test_client()
    nowhere = client.get("/nowhere")
    for path in (
        "/proxy/wrong/sms/3/messages",
        f"/proxy/{plain.key[:-1]}/sms/3/messages",
        "/proxy",
        "/proxy/",
        "/proxy/x",
    ):
        answer = client.post(path, json=sms(), headers=AUTHORIZATION)
        assert (answer.status_code, answer.data) == (404, nowhere.data), path
    assert (upstream.seen, plain.states()) == ([], [])


def test_a_revoked_key_is_refused_and_a_new_one_known_in_a_moment(plain: World) -> None:
    app = plain.app()
    assert plain.send(app=app).status_code == 200
    plain.key = plain.make_key("proxy")
    wait_for(lambda: plain.send(app=app).status_code == 200)
    with plain.database.transaction() as connection:
        (number,) = [key.id for key in api_keys.every(connection) if key.scopes == {"proxy"}]
        assert api_keys.revoke(connection, number, api_keys.every(connection)[0].made_at)
        assert not api_keys.revoke(connection, number, api_keys.every(connection)[0].made_at)
    assert plain.send(app=plain.app()).status_code == 404


def test_a_key_without_the_scope_is_told_so(plain: World, upstream: Upstream) -> None:
    plain.key = plain.make_key("sends:write")
    answer = plain.send()
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "missing_scope")
    assert upstream.seen == []


def test_a_key_of_an_account_without_a_base_url_is_told_so(plain: World) -> None:
    plain.key = plain.make_key("proxy", account="shop")
    assert plain.send().get_json()["error"]["code"] == "no_base_url"


@pytest.mark.parametrize("path", ["/sms/3/../3/messages", "/sms/%2e%2e/messages", "/./sms/3/messages"])
def test_a_path_that_could_be_read_as_another_is_refused(plain: World, upstream: Upstream, path: str) -> None:
    assert plain.send(path=path).status_code in (400, 404)
    assert upstream.seen == []


@pytest.mark.parametrize("path", ["/sms/3/message%73", "/sms/3/messages/"])
def test_a_send_endpoint_is_known_however_its_path_is_written(plain: World, path: str) -> None:
    plain.send(sms(message_id="m-1"), path)
    assert plain.registered("m-1").endpoint == "sms-3"


def test_a_body_beyond_the_limit_is_refused(plain: World, upstream: Upstream) -> None:
    answer = plain.send(data=b" " * (32 * 1024 * 1024 + 1))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (413, "request_too_large")
    assert upstream.seen == []


def test_logs_hold_no_key_query_body_address_or_credential(
    simulator: Simulator, world: World, proxy: type[Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    running = proxy(world, DLR_LOG_LEVEL="DEBUG")
    headers = {**AUTHORIZATION, "X-DLR-Purpose": "otp"}
    assert (
        requests.post(f"{running.base}/sms/3/messages", json=sms(text="say-nothing"), headers=headers).status_code
        == 200
    )
    requests.get(f"{running.base}/sms/3/logs?to={PERSON}", headers=headers)
    requests.post(f"{running.url}/proxy/{world.key}/x{'y' * 9000}", json={})
    assert running.stop() == 0
    text = running.text()
    for secret in (world.key, world.key[4:20], PERSON, "say-nothing", AUTHORIZATION["Authorization"][4:], "sms/3/logs"):
        assert secret not in text
    lines = [json.loads(line) for line in text.splitlines()]
    (line,) = [line for line in lines if line.get("endpoint") == "sms-3"]
    assert (line["route"], line["status"], line["sends"], line["account"], line["upstream"]) == (
        "proxy",
        200,
        1,
        "main",
        "200",
    )
