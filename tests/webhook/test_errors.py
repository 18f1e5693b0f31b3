"""All errors look alike, whoever raises them."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from infobip.inbound import InboundError
from tests.webhook.world import World
from webhook.api.errors import NothingGood
from webhook.errors import WebhookError


def leaves(base: type[Any]) -> Iterator[type[Any]]:
    yield base
    for child in base.__subclasses__():
        yield from leaves(child)


ALL = [*leaves(WebhookError), *leaves(InboundError)]


@pytest.mark.parametrize("kind", ALL)
def test_an_error_has_a_code_a_status_and_a_next_step(kind: type[Any]) -> None:
    assert kind.code
    assert 400 <= kind.status < 600
    assert kind.next_step.endswith((".", "?"))
    # Each tree of errors is drawn above its module.
    assert kind.__name__ in (sys.modules[kind.__module__].__doc__ or "") or issubclass(kind, InboundError)


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL)


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind is not NothingGood])  # it has words of its own
def test_an_error_is_answered_in_the_one_shape(world: World, kind: type[Any]) -> None:
    app = world.app()

    def fail() -> str:
        raise kind("why")

    app.add_url_rule("/fail", "fail", fail)
    answer = app.test_client().get("/fail")
    assert answer.status_code == kind.status
    assert answer.content_type == "application/json"
    assert answer.json == {"error": {"code": kind.code, "message": "why", "next_step": kind.next_step}}


@pytest.mark.parametrize(("path", "status", "code"), [("/no", 404, "no_such_page"), ("/webhook", 405, "wrong_method")])
def test_the_http_librarys_errors_have_the_shape_too(world: World, path: str, status: int, code: str) -> None:
    answer = world.app().test_client().get(path)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]["code"] == code
    assert "POST /webhook/CHANNEL" in answer.json["error"]["next_step"]


@pytest.mark.parametrize("path", ["/api/v1/suppressions/add", "/proxy/key/sms/3/messages"])
def test_what_lives_at_the_other_address_is_told_to_live_there(world: World, path: str) -> None:
    answer = world.app().test_client().post(path)
    assert answer.status_code == 404
    assert answer.json is not None
    assert "DLR_PROXY_BIND" in answer.json["error"]["next_step"]


def test_an_unforeseen_error_tells_the_caller_nothing(world: World) -> None:
    app = world.app()

    def fail() -> str:
        raise RuntimeError("password=hidden")

    app.add_url_rule("/fail", "fail", fail)
    answer = app.test_client().get("/fail")
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["error"]["code"] == "internal"
    assert b"hidden" not in answer.data
