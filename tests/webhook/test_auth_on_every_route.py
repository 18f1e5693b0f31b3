"""Every check holds on every route: the same tests run for all of them."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from codes.channels import CHANNELS
from tests.webhook.world import World, body_of

KEY: Final = "k-hmac"
ROUTES: Final = ("/webhook", "/webhook/", "/webhook/mistyped", *(f"/webhook/{slug}" for slug in sorted(CHANNELS)))


@dataclass(frozen=True)
class Try:
    """What a caller brings beside the body."""

    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    peer: str = "127.0.0.1"


def signed(key: str = KEY, prefix: str = "sha256=") -> dict[str, str]:
    return {"X-Hub-Signature": prefix + hmac.new(key.encode(), body_of(), hashlib.sha256).hexdigest()}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@dataclass(frozen=True)
class Case:
    """Settings, callers who must get in, and callers who must not."""

    settings: dict[str, str]
    good: tuple[Try, ...]
    bad: tuple[Try, ...]


CASES: Final[dict[str, Case]] = {
    "token": Case(
        {"DLR_URL_TOKEN": "old-token new-token"},
        (Try("old-token"), Try("new-token")),
        (Try(), Try("old-toke"), Try("old-token new-token"), Try("öld")),
    ),
    "basic": Case(
        {"DLR_BASIC_USER": "infobip", "DLR_BASIC_PASSWORD": "one two"},
        (Try(headers=basic("infobip", "one")), Try(headers=basic("infobip", "two"))),
        (
            Try(),
            Try(headers=basic("infobip", "three")),
            Try(headers=basic("other", "one")),
            Try(headers={"Authorization": "Basic ???"}),
            Try(headers={"Authorization": "Bearer one"}),
        ),
    ),
    "hmac": Case(
        {"DLR_HMAC_SECRET": f"{KEY} k-next"},
        (Try(headers=signed()), Try(headers=signed("k-next")), Try(headers=signed(prefix="SHA256="))),
        (
            Try(),
            Try(headers=signed("wrong")),
            Try(headers=signed(prefix="")),
            Try(headers={"X-Hub-Signature": "sha256=" + "0" * 64}),
            Try(headers={"X-Hub-Signature": "sha256=zz"}),
        ),
    ),
    "header": Case(
        {"DLR_HEADER_NAME": "X-Account-Key", "DLR_HEADER_VALUE": "v1 v2"},
        (Try(headers={"x-account-key": "v1"}), Try(headers={"X-Account-Key": "v2"})),
        (Try(), Try(headers={"X-Account-Key": "v3"})),
    ),
    "network": Case(
        {"DLR_NETWORKS": "193.105.74.0/24, 2001:db8::/32"},
        (Try(peer="193.105.74.9"), Try(peer="::ffff:193.105.74.9"), Try(peer="2001:db8::1")),
        (Try(), Try(peer="193.105.75.9"), Try(headers={"X-Forwarded-For": "193.105.74.9"}), Try(peer="")),
    ),
    "either of two sets": Case(
        {
            "DLR_AUTH": "hmac, token + network",
            "DLR_HMAC_SECRET": KEY,
            "DLR_URL_TOKEN": "tok",
            "DLR_NETWORKS": "10.0.0.0/8",
        },
        (Try(headers=signed()), Try("tok", peer="10.1.2.3")),
        (Try("tok"), Try(peer="10.1.2.3"), Try("bad", signed("wrong"), "10.1.2.3")),
    ),
    "all that is set up, where no sets are named": Case(
        {"DLR_URL_TOKEN": "tok", "DLR_HEADER_NAME": "X-Key", "DLR_HEADER_VALUE": "v"},
        (Try("tok", {"X-Key": "v"}),),
        (Try("tok"), Try(headers={"X-Key": "v"})),
    ),
}


@pytest.mark.parametrize("name", CASES)
class TestEveryRoute:
    """The contract of all callback routes."""

    @pytest.fixture(scope="class")
    @classmethod
    def place(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
        folder: Path = tmp_path_factory.mktemp("auth")
        # Its answers are what matters here, not its power cuts.
        world = World(folder, DLR_SQLITE_SYNCHRONOUS="NORMAL")
        yield world
        world.close()

    @pytest.fixture
    def client(self, place: World, name: str) -> FlaskClient:
        return place.app(**CASES[name].settings).test_client()

    @pytest.mark.parametrize("route", ROUTES)
    def test_lets_in_whoever_passes_one_whole_set(self, client: FlaskClient, name: str, route: str) -> None:
        for attempt in CASES[name].good:
            answer = send(client, route, attempt)
            assert answer.status_code == 200, attempt

    @pytest.mark.parametrize("route", ROUTES)
    def test_turns_everybody_else_away_and_tells_nothing(
        self, client: FlaskClient, place: World, name: str, route: str
    ) -> None:
        before = len(place.kept())
        for attempt in CASES[name].bad:
            answer = send(client, route, attempt)
            assert answer.status_code in (401, 403), attempt
            assert answer.json["error"]["code"] in ("unauthenticated", "forbidden")
            text = answer.get_data(as_text=True).lower()
            assert not any(word in text for word in ("hmac", "network", "dlr_", "signature"))
        assert len(place.kept()) == before


@pytest.mark.parametrize("path", ["/webhook/t/{}", "/webhook/sms/{}", "/webhook?token={}", "/webhook/sms/?token={}"])
def test_the_token_may_stand_in_the_path_or_in_the_query(world: World, path: str) -> None:
    client = world.app(DLR_URL_TOKEN="tok").test_client()
    assert client.post(path.format("tok"), data=body_of(), content_type="application/json").status_code == 200
    assert client.post(path.format("nok"), data=body_of(), content_type="application/json").status_code == 403


def send(client: FlaskClient, route: str, attempt: Try) -> Any:
    return client.post(
        route,
        data=body_of(),
        content_type="application/json",
        query_string={"token": attempt.token} if attempt.token else None,
        headers=attempt.headers,
        environ_overrides={"REMOTE_ADDR": attempt.peer},
    )
