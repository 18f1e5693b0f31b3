"""Settings of authentication, the token of the first start, proxies, and what the log says about a refusal."""

import base64
import gzip
import hashlib
import hmac
import logging
import stat
import time
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from config.settings import SettingsError, load_settings
from tests.webhook.world import World, body_of
from webhook.accounts import Accounts
from webhook.auth import Guard, needs_first_token, read_sets
from webhook.checks import ALGORITHMS, CHECKS, SETTINGS
from webhook.first_token import ensure_url_token
from webhook.incidents import Reporter, Tally
from webhook.networks import client_address

JSON = "application/json"


def guard(**environ: str) -> Guard:
    settings = load_settings(environ)
    return Guard.from_settings(settings, Accounts.from_settings(settings))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"DLR_AUTH": "tokn"}, "Did you mean token?"),
        ({"DLR_AUTH": "hmac"}, "DLR_HMAC_SECRET"),
        ({"DLR_AUTH": "basic"}, "DLR_BASIC_USER"),
        ({"DLR_AUTH": "header"}, "DLR_HEADER_NAME"),
        ({"DLR_AUTH": "network"}, "DLR_NETWORKS"),
        ({"DLR_NETWORKS": "10.0.0.0/99"}, "10.0.0.0/99"),
        ({"DLR_HMAC_SECRET": "x", "DLR_HMAC_ALGORITHM": "sha3"}, "DLR_HMAC_ALGORITHM"),
        ({"DLR_HMAC_SECRET": "x", "DLR_HMAC_ENCODING": "rot13"}, "DLR_HMAC_ENCODING"),
        ({"DLR_ACCOUNT_TOKENS": "secret-only"}, "DLR_ACCOUNT_TOKENS"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start_and_show_no_secret(environ: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        guard(**environ)
    assert words in str(caught.value)
    assert "secret-only" not in str(caught.value)


def test_every_check_names_its_settings() -> None:
    assert list(CHECKS) == list(SETTINGS)
    assert list(CHECKS)[-1] == "hmac"


def test_sets_are_read_in_any_spelling() -> None:
    assert read_sets(" HMAC ,Network+ token,") == (("hmac",), ("token", "network"))


def test_a_first_start_makes_a_token_that_stays(tmp_path: Path) -> None:
    settings = load_settings({"DLR_STATE_DIR": str(tmp_path / "new")})
    assert needs_first_token(settings)
    token, created = ensure_url_token(settings)
    assert created
    assert len(token) >= 32
    assert ensure_url_token(settings) == (token, False)
    file = tmp_path / "new" / "url_token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["url_token"]


@pytest.mark.parametrize(
    "environ",
    [
        {"DLR_URL_TOKEN": "x"},
        {"DLR_HMAC_SECRET": "x"},
        {"DLR_ALLOW_UNAUTHENTICATED": "true"},
        {"DLR_ACCOUNT_TOKENS": "a=b"},
    ],
)
def test_no_token_is_made_where_something_is_set_up(tmp_path: Path, environ: dict[str, str]) -> None:
    settings = load_settings({"DLR_STATE_DIR": str(tmp_path), **environ})
    assert not needs_first_token(settings)
    Guard.from_settings(settings, Accounts.from_settings(settings))
    assert list(tmp_path.iterdir()) == []


def test_with_nothing_configured_even_loopback_needs_the_token(world: World) -> None:
    client = world.app().test_client()
    token, _ = ensure_url_token(world.settings)
    assert client.post("/webhook/sms", data=body_of(), content_type=JSON).status_code == 401
    assert client.post(f"/webhook/sms/{token}", data=body_of(), content_type=JSON).status_code == 200


def test_a_secret_in_a_file_is_read_again_when_it_changes(world: World, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    client = world.app(DLR_URL_TOKEN_FILE=str(file)).test_client()

    def post(token: str) -> int:
        return client.post(f"/webhook/sms/{token}", data=body_of(), content_type=JSON).status_code

    assert post("one") == 200
    file.write_text("two and-three\n")
    assert (post("one"), post("two"), post("and-three")) == (403, 200, 200)


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("10.0.0.1", "1.1.1.1", 0, "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", 2, "1.1.1.1"),
        ("10.0.0.1", "1.1.1.1:4711", 1, "1.1.1.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", 1, "2001:db8::1"),
        ("10.0.0.1", "", 1, None),
        ("10.0.0.1", "1.1.1.1", 2, None),
        ("10.0.0.1", "nonsense", 1, None),
        ("", "", 0, None),
    ],
)
def test_only_what_trusted_proxies_say_is_believed(
    peer: str, forwarded: str, proxies: int, expected: str | None
) -> None:
    assert client_address(peer, forwarded, proxies) == (ip_address(expected) if expected else None)


def refused_line(world: World, caplog: pytest.LogCaptureFixture, headers: dict[str, str], body: bytes) -> str:
    client = world.app(DLR_HMAC_SECRET="k", DLR_BASIC_USER="u", DLR_BASIC_PASSWORD="p", DLR_AUTH="hmac").test_client()
    with caplog.at_level(logging.WARNING):
        client.post("/webhook/sms", data=body, content_type=JSON, headers=headers)
    return "\n".join(str(record.msg) for record in caplog.records)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", ["hex", "base64", "base64url"])
@pytest.mark.parametrize("prefix", ["", "sig="])
def test_the_log_says_what_would_have_matched(
    world: World, caplog: pytest.LogCaptureFixture, algorithm: str, form: str, prefix: str
) -> None:
    digest = hmac.new(b"k", body_of(), algorithm).digest()
    encoders: dict[str, Callable[[bytes], str]] = {
        "hex": bytes.hex,
        "base64": lambda raw: base64.b64encode(raw).decode(),
        "base64url": lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }
    line = refused_line(world, caplog, {"X-Infobip-Signature": prefix + encoders[form](digest)}, body_of())
    assert f"DLR_HMAC_HEADER=x-infobip-signature DLR_HMAC_ALGORITHM={algorithm}" in line
    assert f"DLR_HMAC_PREFIX={prefix}" in line
    assert "DLR_HMAC_SECRET" in line
    # Base64 without + and / reads the same in both alphabets.
    assert "DLR_HMAC_ENCODING=" in line


def test_a_proxy_that_repacks_the_body_is_recognised(world: World, caplog: pytest.LogCaptureFixture) -> None:
    signature = "sha256=" + hmac.new(b"k", body_of(), hashlib.sha256).hexdigest()
    line = refused_line(world, caplog, {"X-Hub-Signature": signature}, gzip.compress(body_of()))
    assert "over the unpacked body" in line


def test_a_check_that_would_pass_but_is_of_no_set_is_named(world: World, caplog: pytest.LogCaptureFixture) -> None:
    authorization = "Basic " + base64.b64encode(b"u:p").decode()
    assert "the check basic alone would pass" in refused_line(world, caplog, {"Authorization": authorization}, b"x")


def test_nothing_secret_stands_in_the_log_of_a_refusal(world: World, caplog: pytest.LogCaptureFixture) -> None:
    line = refused_line(world, caplog, {"X-Signature": "0123abcd", "Authorization": "Bearer hidden-value"}, body_of())
    assert "nothing that came would match" in line
    assert "X-Signature" in line
    assert "0123abcd" not in line
    assert "hidden-value" not in line


def test_it_is_diagnosed_at_most_once_a_minute(world: World, caplog: pytest.LogCaptureFixture) -> None:
    client = world.app(DLR_URL_TOKEN="tok").test_client()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            client.post("/webhook/sms/x", data=body_of(), content_type=JSON)
    assert sum("would_match" in str(record.msg) for record in caplog.records) == 1
    assert sum("a callback was refused" in str(record.msg) for record in caplog.records) == 3


def test_refusals_in_numbers_open_one_incident_that_names_the_end(world: World) -> None:
    client = world.app(DLR_URL_TOKEN="tok").test_client()
    for count in range(8):
        assert bool(world.told.notes) == (count >= 5)
        client.post("/webhook/sms/x", data=body_of(), content_type=JSON)
    [(kind, _, title, next_step)] = world.told.notes
    assert kind == "callbacks_refused"
    assert "41.5 hours" in title
    assert "DLR_URL_TOKEN" in next_step


def test_a_large_body_is_not_read_where_no_check_needs_it(world: World) -> None:
    class Untouchable:
        def read(self, size: int) -> bytes:
            raise AssertionError("it was read")

    client = world.app(DLR_URL_TOKEN="tok").test_client()
    overrides: dict[str, Any] = {"wsgi.input": Untouchable(), "CONTENT_LENGTH": str(2 << 20)}
    assert client.post("/webhook/sms/x", environ_overrides=overrides).status_code == 403


def test_a_failing_incident_store_harms_no_answer() -> None:
    class Broken:
        def note(self, *args: Any, **options: Any) -> None:
            raise RuntimeError("down")

    Reporter(Broken()).note("kind", "main", "title", "step")


def test_a_tally_tells_of_what_it_counts_inside_its_window_only() -> None:
    tally = Tally(threshold=3)
    assert [tally.untold() for _ in range(5)] == [0, 0, 3, 1, 1]
    brief = Tally(threshold=2, within=timedelta(milliseconds=1))
    assert brief.untold() == 0
    time.sleep(0.01)
    assert brief.untold() == 0


def test_the_first_refusals_are_counted_too(world: World) -> None:
    client = world.app(DLR_URL_TOKEN="tok").test_client()
    for _ in range(5):
        client.post("/webhook/sms/x", data=body_of(), content_type=JSON)
    assert world.told.counts == [5]
