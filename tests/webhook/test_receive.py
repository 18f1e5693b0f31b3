"""What a callback meets: it is kept, counted and answered, and nothing that arrives is thrown away."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from codes.channels import CHANNELS
from infobip.inbound import Reading
from tests.webhook.world import GOOD, TOKEN, World, body_of
from webhook.accounts import Accounts
from webhook.admission import Admission
from webhook.app import create_app
from webhook.auth import Guard
from webhook.group_commit import GroupCommit
from webhook.incidents import Reporter
from webhook.keeping import Keeper
from webhook.receive import Receiver
from webhook.target import ALIASES

JSON = "application/json"


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.app(DLR_URL_TOKEN=TOKEN).test_client()


def post(client: FlaskClient, body: bytes, path: str = "/webhook/sms", content_type: str = JSON, **more: Any) -> Any:
    return client.post(path, data=body, content_type=content_type, query_string={"token": TOKEN}, **more)


def test_a_callback_is_kept_before_it_is_answered(world: World, client: FlaskClient) -> None:
    body = body_of()
    answer = post(client, body)
    [row] = world.kept()
    assert answer.status_code == 200
    assert answer.json == {"received": 1, "accepted": 1, "quarantined": [], "callback_id": str(row.id)}
    assert (world.body(row), row.state, row.channel, row.account) == (body, "new", "sms", "main")
    assert (row.trusted, row.items, row.waiting, row.content_type) == (True, 1, 1, JSON)


def test_one_bad_item_harms_no_neighbour(world: World, client: FlaskClient) -> None:
    answer = post(client, body_of(*[GOOD] * 99, "not an item"))
    assert answer.status_code == 200
    assert (answer.json["received"], answer.json["accepted"]) == (100, 99)
    [bad] = answer.json["quarantined"]
    [row] = world.quarantined()
    assert bad == {"index": 99, "reason": row.reason}
    assert row.item_index == 99


def test_an_empty_list_of_results_is_kept_and_counts_nothing(world: World, client: FlaskClient) -> None:
    answer = post(client, b'{"results": []}')
    assert (answer.status_code, answer.json["received"], len(world.kept())) == (200, 0, 1)


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_infobips_own_channel_names_are_understood(world: World, client: FlaskClient, alias: str) -> None:
    assert post(client, body_of(), f"/webhook/{alias.upper().replace('-', '_')}").status_code == 200
    assert world.kept()[0].channel == ALIASES[alias]


def test_all_aliases_lead_to_channels() -> None:
    assert set(ALIASES.values()) <= CHANNELS
    assert CHANNELS.isdisjoint(ALIASES)


@pytest.mark.parametrize(
    ("path", "channel"),
    [
        ("/webhook", "auto"),
        ("/webhook/", "auto"),
        ("/webhook/t", "auto"),
        ("/webhook/T/", "auto"),
        ("/webhook/sms/", "sms"),
        ("/webhook//sms", "sms"),
        ("/webhook/SMS", "sms"),
        ("/webhook/Number_Lookup", "number-lookup"),
        ("/webhook/smss", "unknown"),
        ("/webhook/nonsense", "unknown"),
        ("/webhook/%F0%9F%90%99", "unknown"),
        ("/webhook/unknown", "unknown"),
        ("/webhook/sms/x/y/z", "sms"),
    ],
)
def test_every_path_behind_webhook_is_taken(world: World, client: FlaskClient, path: str, channel: str) -> None:
    hidden = "DLR_URL_TOKEN"
    client = world.app(**{hidden: f"{TOKEN} x"}).test_client()
    assert post(client, body_of(), path).status_code == 200
    assert world.kept()[0].channel == channel


def test_a_mistyped_channel_opens_an_incident_that_names_the_right_one(world: World, client: FlaskClient) -> None:
    post(client, body_of(), "/webhook/whatsap")
    [(kind, _, _, next_step)] = world.told.notes
    assert kind == "channel_not_known"
    assert "/webhook/whatsapp" in next_step
    assert "Name the channel in the URL" in next_step


def test_a_token_in_the_channels_place_is_never_shown(world: World) -> None:
    client = world.app(DLR_ALLOW_UNAUTHENTICATED="true").test_client()
    assert client.post(f"/webhook/{TOKEN}", data=body_of(), content_type=JSON).status_code == 200
    assert TOKEN not in str(world.told.notes)


def test_without_authentication_a_callback_is_kept_but_not_trusted(world: World) -> None:
    client = world.app(DLR_ALLOW_UNAUTHENTICATED="true", DLR_URL_TOKEN=TOKEN).test_client()
    assert post(client, body_of()).status_code == 200
    assert world.kept()[0].trusted is False


def test_a_body_that_infobip_never_wrote_is_refused_kept_once_and_reported(world: World, client: FlaskClient) -> None:
    for _ in range(3):
        answer = post(client, b'{"hello": "world"}')
        assert answer.status_code == 400
        assert answer.json["error"]["code"] == "not_infobip"
    [row] = world.kept()
    [whole] = world.quarantined()
    assert (row.state, row.waiting, whole.item_index) == ("quarantined", 0, -1)
    assert world.told.kinds == ["callback_not_understood"]


def test_a_media_type_that_holds_no_report_is_refused_and_kept(world: World, client: FlaskClient) -> None:
    answer = post(client, b"\x89PNG", content_type="image/png")
    assert answer.status_code == 415
    assert world.body(world.kept()[0]) == b"\x89PNG"


def test_strangers_cannot_fill_the_disk_with_nonsense(world: World) -> None:
    client = world.app(DLR_ALLOW_UNAUTHENTICATED="true").test_client()
    assert post(client, b"nonsense").status_code == 400
    assert world.kept() == []


def test_an_unforeseen_error_while_reading_keeps_the_body_and_answers_200(world: World) -> None:
    def broken(*args: Any, **options: Any) -> Reading:
        raise RuntimeError("our own mistake")

    settings = world.settings
    app = create_app(settings, database=world.database, vault=world.vault, doorbell=world.ringer)
    reporter = Reporter(world.told)
    accounts = Accounts()
    admission = Admission(settings, Guard.from_settings(settings, accounts), reporter)
    keeper = Keeper(
        world.database,
        world.vault,
        world.ringer,
        reporter,
        GroupCommit(world.database, world.vault, settings.lock_wait),
    )
    app.view_functions["receive"] = Receiver(1 << 20, accounts, admission, keeper, reporter, read=broken)
    token = (settings.state_dir / "url_token").read_text().strip()
    answer = app.test_client().post(f"/webhook/sms/{token}", data=body_of(), content_type=JSON)
    [row] = world.kept()
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["callback_id"] == str(row.id)
    assert answer.json["quarantined"][0]["index"] == -1
    assert (row.state, row.waiting, world.body(row)) == ("undecoded", 1, body_of())
    assert world.told.kinds == ["callback_undecoded"]


def test_the_account_is_the_urls_tokens(world: World) -> None:
    client = world.app(DLR_ACCOUNT_TOKENS="shop=k1,bank=k2,bank=k3").test_client()
    for token in ("k1", "k2", "k3"):
        assert client.post(f"/webhook/sms/{token}", data=body_of(), content_type=JSON).status_code == 200
    assert [row.account for row in world.kept()] == ["shop", "bank", "bank"]
    assert client.post("/webhook/sms/k4", data=body_of(), content_type=JSON).status_code == 403


@pytest.mark.parametrize(
    "marks",
    [{"platform": {"applicationId": "app-1", "entityId": "x"}}, {"platform": {"entityId": "app-1"}}],
)
def test_the_account_is_else_the_applications_or_the_entitys(world: World, marks: dict[str, Any]) -> None:
    client = world.app(DLR_URL_TOKEN=TOKEN, DLR_ACCOUNT_APPLICATIONS="app-1=shop").test_client()
    post(client, body_of({**GOOD, **marks}))
    post(client, body_of())
    assert [row.account for row in world.kept()] == ["shop", "main"]


def test_a_callback_of_several_accounts_is_reported(world: World) -> None:
    client = world.app(DLR_URL_TOKEN=TOKEN, DLR_ACCOUNT_APPLICATIONS="a=one,b=two").test_client()
    post(client, body_of(*({**GOOD, "platform": {"applicationId": name}} for name in "ab")))
    assert world.kept()[0].account == "one"
    assert world.told.kinds == ["accounts_mixed"]


def test_the_headers_are_kept_for_a_relay_without_hop_by_hop_ones(world: World, client: FlaskClient) -> None:
    sent = {
        "X-Hub-Signature": "sha256=00",
        "Authorization": "Basic eA==",
        "Connection": "close, X-Hop",
        "X-Hop": "1",
        "TE": "trailers",
    }
    post(client, body_of(), headers=sent)
    kept = {name.lower(): value for name, value in world.headers(world.kept()[0]).items()}
    assert kept["x-hub-signature"] == "sha256=00"
    assert kept["authorization"] == "Basic eA=="
    assert kept.keys().isdisjoint({"connection", "x-hop", "te", "content-length"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_told_what_to_post(client: FlaskClient, method: str) -> None:
    answer = client.open("/webhook/sms", method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    if method != "HEAD":
        assert "POST /webhook/" in json.loads(answer.data)["error"]["next_step"]


def test_a_commit_rings(world: World, client: FlaskClient) -> None:
    post(client, body_of())
    world.ringer.close()
    assert world.doorbell.rings >= 1
