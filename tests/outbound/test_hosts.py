"""Credentials travel to Infobip, and to nobody who looks like it."""

import pytest

from infobip.outbound import BaseUrlRefused
from infobip.outbound.hosts import check_base_url


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://fern1.api.infobip.com", "https://fern1.api.infobip.com"),
        ("https://FERN1.api-us.Infobip.com/", "https://fern1.api-us.infobip.com"),
        ("https://fern1.api.infobip.com.:443", "https://fern1.api.infobip.com:443"),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("http://localhost:8123/", "http://localhost:8123"),
        ("https://[::1]:8123", "https://[::1]:8123"),
        ("https://gateway.fernhill.example", "https://gateway.fernhill.example"),
        ("https://other.fernhill.example:8443", "https://other.fernhill.example:8443"),
    ],
)
def test_a_base_url_that_may_be_used_comes_back_in_one_form(url: str, base: str) -> None:
    assert check_base_url(url, {"gateway.fernhill.example", "other.fernhill.example:8443"}) == base


@pytest.mark.parametrize(
    "url",
    [
        "http://fern1.api.infobip.com",
        "https://infobip.com",
        "https://api.infobip.com:8443",
        "https://api.infobip.com.evil.example",
        "https://evilinfobip.com",
        "https://api.infobip.com@evil.example",
        "https://user:pass@api.infobip.com",
        "https://api.infobip.com/sms/3",
        "https://api.infobip.com?x=1",
        "https://api.infobip.com#x",
        "https://evil.example\\.infobip.com",
        "https://evil.example%2f.infobip.com",
        "https://\uff41pi.infobip.com",
        "https://other.fernhill.example:9443",
        "http://gateway.fernhill.example",
        "http://128.0.0.1",
        "http://localhost.evil.example",
        "https://api.infobip.com:99999",
        "https://[::1",
        "ftp://api.infobip.com",
        "api.infobip.com",
        "https://",
        "",
    ],
)
def test_any_other_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(BaseUrlRefused) as caught:
        check_base_url(url, {"gateway.fernhill.example", "other.fernhill.example:8443"})
    assert "pass" not in str(caught.value)
    assert caught.value.next_step
