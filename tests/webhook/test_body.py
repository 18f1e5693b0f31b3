"""How a body is read: packed or not, and never beyond the limit."""

import gzip
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.webhook.world import TOKEN, World, body_of

JSON = "application/json"


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.app(DLR_URL_TOKEN=TOKEN).test_client()


def post(client: FlaskClient, body: bytes, path: str = "/webhook/sms", content_type: str = JSON, **more: Any) -> Any:
    return client.post(path, data=body, content_type=content_type, query_string={"token": TOKEN}, **more)


def test_a_gzip_body_is_kept_unpacked(world: World, client: FlaskClient) -> None:
    for packed in (gzip.compress(body_of()), gzip.compress(body_of()[:40]) + gzip.compress(body_of()[40:])):
        assert post(client, packed, headers={"Content-Encoding": "gzip"}).status_code == 200
    for row in world.kept():
        assert world.body(row) == body_of()
        assert "Content-Encoding" not in world.headers(row)


def test_the_first_bytes_say_whether_it_is_gzip_and_not_the_header(world: World, client: FlaskClient) -> None:
    assert post(client, gzip.compress(body_of())).status_code == 200
    assert post(client, body_of(), headers={"Content-Encoding": "gzip"}).status_code == 200
    assert [world.body(row) for row in world.kept()] == [body_of()] * 2


@pytest.mark.parametrize("packed", [gzip.compress(body_of())[:-9], b"\x1f\x8bnonsense"])
def test_broken_gzip_is_refused_and_kept_as_it_came(world: World, client: FlaskClient, packed: bytes) -> None:
    answer = post(client, packed, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_compression")
    assert world.body(world.kept()[0]) == packed


def test_an_encoding_that_is_not_understood_is_refused_and_kept(world: World, client: FlaskClient) -> None:
    answer = post(client, b"x", headers={"Content-Encoding": "br"})
    assert (answer.status_code, len(world.kept())) == (415, 1)


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(world: World, packed: bool) -> None:
    client = world.app(DLR_URL_TOKEN=TOKEN, DLR_MAX_BODY_MB="1").test_client()
    body = body_of()
    body += b" " * ((1 << 20) - len(body))
    form = gzip.compress if packed else bytes
    assert post(client, form(body)).status_code == 200
    answer = post(client, form(body + b" "))
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")
    [(kind, _, _, next_step)] = world.told.notes
    assert kind == "callback_too_large"
    assert "maxBucketSize" in next_step
