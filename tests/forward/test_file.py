"""DLR_FORWARD: all mistakes at once, each with what to write instead, and no secret in any of them."""

from pathlib import Path

import pytest

from cli.forward import forward
from config.events import BY_NAME, EVENTS
from config.forwarding import load_endpoints
from config.settings import SettingsError
from tests.forward.world import SECRET
from tests.house.project import ROOT

GOOD = f'url = "https://crm.example.com/events?k=s3cret"\nsecret = "{SECRET}"\nevents = ["message.*"]\n'


def mistakes(folder: Path, text: str) -> str:
    file = folder / "forward.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as told:
        load_endpoints(file, frozenset({"sms"}))
    return str(told.value)


def test_every_mistake_of_every_endpoint_is_told_at_once(tmp_path: Path) -> None:
    text = mistakes(
        tmp_path,
        '[Big]\nurl = "http://crm.example.com"\nsecret = "short"\nevents = ["message.lost"]\nchannels = ["fax"]\n'
        'include = ["name"]\ngive_up_after = "1y"\ncolour = "red"\n[other]\n',
    )
    for word in (
        "[Big] the name of an endpoint",
        "[Big] url: http:// would show everything",
        "[Big] secret: it is not whsec_",
        "[Big] events: there is no event 'message.lost'",
        "[Big] channels: there is no 'fax'; there are sms",
        "[Big] include: Must be one of: address.",
        "[Big] give_up_after: '1y' is not a duration",
        "[Big] colour: there is no such key; there are url",
        "[other] url: Missing data",
        "[other] secret: write one of secret and secret_file",
    ):
        assert word in text, text


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("url = 5", "url: Not a valid string."),
        ('secret_file = "gone"', "secret: write one of"),
        ('include = "address"', "include: "),
        ("events = []", "events: "),
        ('give_up_after = "15d"', "write from 1h to 14d"),
        ('private = "perhaps"', "private: "),
    ],
)
def test_one_mistake_is_told(tmp_path: Path, line: str, word: str) -> None:
    key = line.split()[0]
    rest = "".join(f"{one}\n" for one in GOOD.splitlines() if not one.startswith(f"{key} "))
    text = mistakes(tmp_path, f"[crm]\n{rest}{line}\n")
    assert word in text
    assert "s3cret" not in text
    assert SECRET not in text


def test_a_secret_that_stands_in_no_file_is_told(tmp_path: Path) -> None:
    text = mistakes(tmp_path, '[crm]\nurl = "https://a.example.com"\nsecret_file = "gone"\nevents = ["*"]\n')
    assert "secret_file: " in text
    assert "gone" in text


def test_keys_outside_of_any_endpoint_are_told(tmp_path: Path) -> None:
    assert "put it below a line such as [crm]" in mistakes(tmp_path, 'url = "https://a.example.com"\n')


def test_patterns_choose_events_and_everything_is_all_of_them(tmp_path: Path) -> None:
    file = tmp_path / "forward.toml"
    file.write_text(f"[crm]\n{GOOD}")
    found = load_endpoints(file).by_name["crm"]
    assert found.events == {kind for kind in EVENTS if kind.startswith("message.")}
    file.write_text(f"[crm]\n{GOOD}".replace("message.*", "*"))
    assert load_endpoints(file).by_name["crm"].events == set(EVENTS)


def test_a_secret_shows_in_no_representation(tmp_path: Path) -> None:
    file = tmp_path / "forward.toml"
    file.write_text(f"[crm]\n{GOOD}")
    assert SECRET not in repr(load_endpoints(file))


def test_the_document_names_every_event_and_every_command() -> None:
    text = (ROOT / "docs" / "forward.md").read_text("utf-8")
    for kind in EVENTS | BY_NAME:
        assert f"`{kind}`" in text, kind
    for command in forward.commands:
        assert f"dlr forward {command}" in text, command
