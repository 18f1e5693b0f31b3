"""Our URL in sends: only where it is asked for, and the application's own is kept."""

import json
from typing import Any

import pytest

from config.settings import SettingsError
from tests.proxy.upstream import Upstream
from tests.proxy.world import World
from tests.support.infobip import sms

ON = {"DLR_PROXY_SET_WEBHOOK": "true", "DLR_PUBLIC_URL": "https://dlr.example.com", "DLR_URL_TOKEN": "t0k"}
OURS = "https://dlr.example.com/webhook/sms/t0k"
THEIRS: dict[str, Any] = {"delivery": {"url": "https://app.example.com/mine", "intermediateReport": True}}


def test_sends_keep_their_own_url_by_default(plain: World, upstream: Upstream) -> None:
    plain.send(sms(message_id="m-1", **THEIRS))
    assert json.loads(upstream.seen[0].body)["messages"][0]["webhooks"] == THEIRS
    assert plain.registered("m-1").report_url == b""


def test_our_url_is_filled_in_and_theirs_is_kept_sealed(plain: World, upstream: Upstream) -> None:
    plain.send(sms(message_id="m-1", **THEIRS), app=plain.app(**ON))
    sent = json.loads(upstream.seen[0].body)["messages"][0]
    assert sent["webhooks"] == {"delivery": {"url": OURS, "intermediateReport": True}}
    assert sent["content"] == {"text": "Your parcel is here"}
    sealed = plain.registered("m-1").report_url
    assert b"app.example.com" not in sealed
    assert plain.vault.open(sealed) == b"https://app.example.com/mine"
    content = plain.content(plain.registered("m-1"))
    assert content is not None
    assert content.reports_to == OURS.replace("/sms/", "/{channel}/")


def test_a_message_without_a_url_gets_ours(plain: World, upstream: Upstream) -> None:
    body = {"messages": [{"from": "Shop", "destinations": [{"to": "447700900123"}], "text": "Hello"}]}
    plain.send(body, "/sms/2/text/advanced", app=plain.app(**ON))
    assert json.loads(upstream.seen[0].body)["messages"][0]["notifyUrl"] == OURS


def test_an_account_with_a_report_url_uses_that(plain: World, upstream: Upstream) -> None:
    plain.send(sms(), app=plain.app(DLR_PROXY_SET_WEBHOOK="true", DLR_INFOBIP_REPORT_URL="https://a.example.com/w"))
    assert json.loads(upstream.seen[0].body)["messages"][0]["webhooks"]["delivery"]["url"] == "https://a.example.com/w"


def test_it_cannot_be_switched_on_where_nobody_knows_our_url(plain: World) -> None:
    with pytest.raises(SettingsError, match="DLR_PUBLIC_URL"):
        plain.app(DLR_PROXY_SET_WEBHOOK="true")


def test_credentials_travel_to_no_host_that_is_not_infobips(plain: World) -> None:
    with pytest.raises(SettingsError, match="base_url"):
        plain.app(DLR_INFOBIP_URL="https://infobip.example.com")


def test_a_mode_that_there_is_not_is_refused_at_the_start(plain: World) -> None:
    with pytest.raises(SettingsError, match="drop, refuse, off"):
        plain.app(DLR_PROXY_SUPPRESSED="maybe")
