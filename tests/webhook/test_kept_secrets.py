"""Secrets that `dlr subscribe` keeps in the state folder: they count at once, beside the configured one."""

import hmac
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config.hmac_keys import HMAC_FILE, HmacKeys, live_secrets
from config.settings import SettingsError, load_settings
from tests.webhook.world import World, body_of

JSON = "application/json"


def keep(folder: Path, *secrets: tuple[str, str], account: str = "main") -> None:
    """Write the file as the commands do: a new one takes the place of the old."""
    draft = folder / "draft"
    listed = [{"secret": secret, "state": state, "since": "2026-11-01T00:00:00+00:00"} for state, secret in secrets]
    draft.write_text(json.dumps({"accounts": {account: {"secrets": listed}}}))
    draft.replace(folder / HMAC_FILE)


def post(client: FlaskClient, secret: str) -> int:
    digest = hmac.new(secret.encode(), body_of(), "sha256").hexdigest()
    headers = {"x-hub-signature": f"sha256={digest}"}
    return client.post("/webhook/sms", data=body_of(), content_type=JSON, headers=headers).status_code


def test_what_is_written_counts_at_once_beside_the_configured_secret(world: World, tmp_path: Path) -> None:
    client = world.app(DLR_AUTH="hmac", DLR_HMAC_SECRET="configured").test_client()
    assert (post(client, "one"), post(client, "configured")) == (403, 200)
    keep(tmp_path, ("current", "one"), ("made", "two"), ("retired", "zero"))
    assert [post(client, name) for name in ("zero", "one", "two", "configured", "three")] == [200] * 4 + [403]
    keep(tmp_path, ("current", "two"))
    assert [post(client, name) for name in ("zero", "one", "two", "configured")] == [403, 403, 200, 200]
    (tmp_path / HMAC_FILE).unlink()
    assert [post(client, name) for name in ("two", "configured")] == [403, 200]


def test_kept_secrets_are_enough_for_the_check_but_do_not_ask_for_it(world: World, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="dlr subscribe create"):
        world.app(DLR_AUTH="hmac")
    keep(tmp_path, ("current", "one"))
    assert post(world.app(DLR_AUTH="hmac").test_client(), "one") == 200
    # Where DLR_AUTH says nothing, the file alone must not shut out whoever comes by the token.
    client = world.app(DLR_URL_TOKEN="t").test_client()
    assert client.post("/webhook/sms/t", data=body_of(), content_type=JSON).status_code == 200


def test_a_damaged_file_takes_nothing_away(world: World, tmp_path: Path) -> None:
    keep(tmp_path, ("current", "one"))
    client = world.app(DLR_AUTH="hmac").test_client()
    assert post(client, "one") == 200
    (tmp_path / HMAC_FILE).write_text("{")
    assert post(client, "one") == 200
    keep(tmp_path, ("current", "two"))
    assert (post(client, "one"), post(client, "two")) == (403, 200)


def test_the_first_secret_is_the_one_that_infobip_signs_with(tmp_path: Path) -> None:
    keep(tmp_path, ("retired", "zero"), ("made", "two"), ("current", "one"))
    keys = HmacKeys(load_settings({"DLR_STATE_DIR": str(tmp_path), "DLR_HMAC_SECRET": "configured one"}))
    assert keys.values() == ("one", "two", "zero", "configured")


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"accounts": []},
        {"accounts": {"main": None}},
        {"accounts": {"main": {"secrets": [1, {"state": "current"}, {"secret": "x", "state": "odd"}]}}},
    ],
)
def test_a_file_of_another_shape_holds_no_secret(content: object) -> None:
    assert live_secrets(content) == ()
