"""The registry of send endpoints."""

import pytest

from codes import CHANNELS
from infobip.outbound import ENDPOINTS, find
from tests.outbound.bodies import SAMPLES


def test_each_sample_is_found_by_its_path() -> None:
    assert [(find("post", one.path) or ENDPOINTS["sms-3"]).name for one in SAMPLES] == [one.endpoint for one in SAMPLES]


@pytest.mark.parametrize(
    "path",
    [
        "/sms/3/messages/",
        "/sms/3/logs",
        "/messages-api/1/messages/validate",
        "/whatsapp/1/message/",
        "/whatsapp/1/message/a/b/c",
        "/whatsapp/1/message/Text",
        "/whatsapp/1/message/../template",
        "/whatsapp/1/senders/385910000099/message/m-1/read",
        "",
    ],
)
def test_other_paths_are_none_of_ours(path: str) -> None:
    assert find("POST", path) is None


def test_only_posts_send() -> None:
    assert find("GET", "/sms/3/messages") is None


def test_a_template_is_not_taken_for_an_ordinary_whatsapp_message() -> None:
    found = find("POST", "/whatsapp/1/message/template")
    assert found is ENDPOINTS["whatsapp-template"]


def test_each_endpoint_sends_on_a_channel_that_we_know() -> None:
    assert {one.channel for one in ENDPOINTS.values()} <= CHANNELS


def test_no_two_endpoints_share_a_path() -> None:
    assert len({one.path for one in ENDPOINTS.values()}) == len(ENDPOINTS)
