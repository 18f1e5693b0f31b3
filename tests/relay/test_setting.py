"""DLR_RELAY_URL is read whole, and every fault is named without showing a secret."""

import pytest

from config.relays import Relays, RelayTarget
from config.settings import SettingsError


def urls(relays: Relays, account: str, channel: str) -> list[str]:
    return [target.url for target in relays.of(account, channel)]


def test_without_the_setting_nothing_is_passed_on() -> None:
    assert urls(Relays.read(" "), "main", "sms") == []


def test_the_entries_that_name_a_callback_most_exactly_are_in_force() -> None:
    relays = Relays.read(
        "https://all.example.com/ https://all2.example.com/?a=b sms=https://sms.example.com/x?token=a=b "
        "shop/*=https://shop.example.com/ shop/sms=https://shop-sms.example.com/ shop/sms=https://copy.example.com/",
        {"sms", "email"},
    )
    assert urls(relays, "main", "email") == ["https://all.example.com/", "https://all2.example.com/?a=b"]
    assert urls(relays, "main", "sms") == ["https://sms.example.com/x?token=a=b"]
    assert urls(relays, "shop", "email") == ["https://shop.example.com/"]
    assert urls(relays, "shop", "sms") == ["https://shop-sms.example.com/", "https://copy.example.com/"]


def test_a_target_that_is_named_twice_is_one() -> None:
    assert len(Relays.read("https://a.example.com/ https://a.example.com/").of("main", "sms")) == 1


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "netloc"),
    [
        ("https://a.example.com", "a.example.com", 443, "/", "a.example.com"),
        ("http://A.example.com:8080/x?y=1", "a.example.com", 8080, "/x?y=1", "a.example.com:8080"),
        ("https://a.example.com:443/x", "a.example.com", 443, "/x", "a.example.com"),
        ("http://[2001:db8::1]:81/", "2001:db8::1", 81, "/", "[2001:db8::1]:81"),
        ("https://a.example.com?x", "a.example.com", 443, "/?x", "a.example.com"),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, path: str, netloc: str) -> None:
    target = RelayTarget.of(url)
    assert (target.host, target.port, target.path, target.netloc) == (host, port, path, netloc)


def test_what_the_database_and_people_see_holds_no_secret() -> None:
    target = RelayTarget.of("https://a.example.com/hook/s3cret?token=s3cret")
    assert target.origin == "https://a.example.com"
    assert "s3cret" not in target.key
    assert target.key != RelayTarget.of("https://a.example.com/hook/other").key


def test_all_faults_come_in_one_error() -> None:
    text = "ftp://x.example.com/s3cret https:///s3cret https://s3cret:pw@x.example.com/ fax=https://ok.example.com/"
    text += " https://x.example.com:99999/ =https://ok.example.com/ a/b/c=https://ok.example.com/ sms=s3cret"
    text += " https://ok.example.com/#part https://b\u00fccher.example/ https://x..example.com/ https://ok.example.com/"
    with pytest.raises(SettingsError) as caught:
        Relays.read(text, {"sms", "email"})
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1].strip() for line in lines] == [f"entry {place}" for place in range(1, 12)]
    assert all(line.startswith("DLR_RELAY_URL: ") and "For example: DLR_RELAY_URL=" in line for line in lines)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "entry", ["https://[::1/", "http://x:port/", "https://x:0/", "*", "sms=", "http://" + "a" * 64]
)
def test_odd_entries_are_refused_with_a_reason(entry: str) -> None:
    with pytest.raises(SettingsError, match="entry 1"):
        Relays.read(entry)
