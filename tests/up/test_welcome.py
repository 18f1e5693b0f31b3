"""The greeting's curl line passes whatever check is set up, and shows no secret where it could be logged."""

import json
import shlex
from base64 import b64encode
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from werkzeug.datastructures import Headers

from cli.supervisor.welcome import sample_report, welcome
from config.settings import load_settings
from infobip.inbound import read
from webhook.accounts import Accounts
from webhook.auth import Guard
from webhook.checks import Presented


def curl_of(text: str) -> list[str]:
    """Return the words of the greeting's curl line."""
    return next(shlex.split(line) for line in text.splitlines() if line.strip().startswith("curl "))


def presented(words: list[str]) -> Presented:
    """Return what the endpoint would see of a curl line."""
    values = [(words[at], words[at + 1]) for at in range(len(words) - 1)]
    headers = Headers()
    for flag, text in values:
        if flag == "-H":
            headers.add(*text.split(": ", 1))
        if flag == "-u":
            headers["Authorization"] = f"Basic {b64encode(text.encode()).decode()}"
    body = next(text for flag, text in values if flag == "-d").encode()
    token = words[-1].partition("/webhook/sms/")[2]
    return Presented(headers, token, ip_address("127.0.0.1"), lambda: body)


SETS = {
    "token": {"DLR_URL_TOKEN": "t0ken"},
    "two live tokens": {"DLR_URL_TOKEN": "new old"},
    "hmac": {"DLR_HMAC_SECRET": "k3y"},
    "hmac in base64": {"DLR_HMAC_SECRET": "k3y", "DLR_HMAC_ENCODING": "base64", "DLR_HMAC_PREFIX": ""},
    "hmac of another kind": {
        "DLR_HMAC_SECRET": "k3y",
        "DLR_HMAC_ENCODING": "base64url",
        "DLR_HMAC_ALGORITHM": "SHA512",
    },
    "basic": {"DLR_BASIC_USER": "infobip", "DLR_BASIC_PASSWORD": "pa55"},
    "header": {"DLR_HEADER_NAME": "x-from", "DLR_HEADER_VALUE": "infobip"},
    "token and network": {"DLR_URL_TOKEN": "t0ken", "DLR_NETWORKS": "127.0.0.0/8"},
    "one of two sets": {"DLR_URL_TOKEN": "t0ken", "DLR_HMAC_SECRET": "k3y", "DLR_AUTH": "hmac + token, Token"},
}


@pytest.mark.parametrize("environ", [pytest.param(environ, id=name) for name, environ in SETS.items()])
def test_the_curl_line_passes_the_checks(environ: dict[str, str]) -> None:
    settings = load_settings(environ)
    token = next(iter(settings.url_token.values()), "")
    words = curl_of(welcome(settings, token, show_secrets=True))
    assert Guard.from_settings(settings, Accounts.from_settings(settings)).judge(presented(words)).passed


@pytest.mark.parametrize(
    "environ",
    [
        {"DLR_URL_TOKEN": "s3cret"},
        {"DLR_HMAC_SECRET": "s3cret"},
        {"DLR_BASIC_USER": "infobip", "DLR_BASIC_PASSWORD": "s3cret"},
        {"DLR_HEADER_NAME": "x-from", "DLR_HEADER_VALUE": "s3cret"},
    ],
    ids=lambda environ: "+".join(environ),
)
def test_secrets_of_the_operators_own_stay_out_of_a_log(environ: dict[str, str]) -> None:
    settings = load_settings(environ)
    token = next(iter(settings.url_token.values()), "")
    assert "s3cret" not in welcome(settings, token, show_secrets=False)


def test_a_token_that_was_made_here_is_shown_always() -> None:
    text = welcome(load_settings({}), "made-here", show_secrets=False)
    assert "http://127.0.0.1:8080/webhook/sms/made-here" in text
    assert "Only this machine can reach it" in text


def test_infobip_is_given_the_public_url() -> None:
    text = welcome(load_settings({"DLR_PUBLIC_URL": "https://dlr.example.com/"}), "made-here", show_secrets=False)
    assert "https://dlr.example.com/webhook/sms/made-here" in text
    assert "Only this machine" not in text
    assert curl_of(text)[-1].startswith("http://127.0.0.1:8080/")


@pytest.mark.parametrize(
    ("bind", "local"), [("0.0.0.0:81", "127.0.0.1:81"), ("[::]:81", "[::1]:81"), ("10.0.0.7:81", "10.0.0.7:81")]
)
def test_the_curl_line_reaches_every_address(bind: str, local: str) -> None:
    text = welcome(load_settings({"DLR_WEB_BIND": bind}), "made-here", show_secrets=False)
    assert curl_of(text)[-1] == f"http://{local}/webhook/sms/made-here"


def test_the_sample_is_a_report_that_we_understand() -> None:
    body = json.dumps(sample_report("sample-1", datetime(2026, 3, 2, 9, 15, 3, 480000, tzinfo=UTC))).encode()
    items = read(body, "application/json", "sms").items
    assert [(item.report.message_id, item.report.recipient) for item in items] == [("sample-1", "447700900123")]


def test_the_state_folder_is_named_where_another_shell_would_not_find_it() -> None:
    text = welcome(load_settings({"DLR_STATE_DIR": "/srv/my dlr"}), "x", show_secrets=False)
    assert "  DLR_STATE_DIR='/srv/my dlr' " in text
