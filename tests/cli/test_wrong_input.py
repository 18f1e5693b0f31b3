"""Wrong input is told by what is wrong with it, before anything else is asked for."""

from pathlib import Path

import pytest

from cli.supervisor.first_key import greeting
from config.settings import load_settings
from store.vault import Vault
from tests.support.desk import PERSON
from tests.support.dlr import Dlr

ACTING = 'version = 1\n[modes]\nretry = "act"\n[purposes]\ndefault = {"*" = "transactional"}\n'


@pytest.mark.parametrize("command", ["plan", "create", "show", "remove"])
def test_a_channel_that_there_is_not_is_told_before_a_missing_credential(dlr: Dlr, command: str) -> None:
    said = dlr.fails("subscribe", command, "--channel", "smss", code=2)
    assert "Did you mean sms?" in said
    assert "credential" not in said
    assert "DLR_INFOBIP_URL" in dlr.fails("subscribe", command, "--channel", "sms", code=2)


@pytest.mark.parametrize("command", [("add", PERSON), ("protect", PERSON)], ids=" ".join)
@pytest.mark.parametrize("when", ["yesterday", "2020-01-01", "soon", "9999-12-31T23:59:59-05:00"])
def test_an_end_that_is_none_is_told_how_to_write_one_that_lies_ahead(
    dlr: Dlr, command: tuple[str, ...], when: str
) -> None:
    said = dlr.fails("suppress", *command, "--until", when, code=2)
    assert "how long from now" in " ".join(said.split())
    assert "how long ago" not in said


@pytest.mark.parametrize("when", ["999999d", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_no_calendar_has_is_told_as_none(dlr: Dlr, when: str) -> None:
    assert "is no time" in dlr.fails("reports", "--since", when, code=2)


def test_the_first_key_comes_with_what_has_to_be_set_before_it_is_of_use(
    database_url: str, vault: Vault, tmp_path: Path
) -> None:
    environ = {"DLR_DATABASE_URL": database_url, "DLR_STATE_DIR": str(tmp_path)}
    assert "DLR_INFOBIP_URL" in greeting(load_settings(environ))
    assert greeting(load_settings(environ)) == ""


def test_where_infobip_is_known_the_first_key_asks_for_nothing(database_url: str, vault: Vault, tmp_path: Path) -> None:
    environ = {
        "DLR_DATABASE_URL": database_url,
        "DLR_STATE_DIR": str(tmp_path),
        "DLR_INFOBIP_URL": "https://x.api.infobip.com",
    }
    assert "DLR_INFOBIP_URL" not in greeting(load_settings(environ))


def relay_findings(dlr: Dlr, **settings: str) -> list[str]:
    found = dlr.run("doctor", relay_url="https://app.example.com/dlr", **settings).stdout.splitlines()
    return [line for line in found if "\trelay\t" in line]


def test_the_doctor_warns_of_callbacks_that_go_on_unsigned(dlr: Dlr, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(ACTING)
    [warning] = relay_findings(dlr, policy=str(file))
    assert warning.startswith("warning")
    assert "DLR_HMAC_SECRET" in warning
    [fine] = relay_findings(dlr, policy=str(file), hmac_secret="a-secret-that-infobip-has")
    assert fine.startswith("ok")
    assert relay_findings(dlr) == []


def test_a_database_that_cannot_be_reached_on_the_disk_is_named_with_what_to_do(dlr: Dlr, tmp_path: Path) -> None:
    # Nobody but its owner may enter a state folder; this stands for it where the tests run as root, who may.
    path = tmp_path / ("x" * 300) / "dlr.sqlite"
    said = dlr.fails("reports", database_url=f"sqlite:///{path}")
    assert f"{path} cannot be read (File name too long)" in said
    assert "as the user that runs the service" in said


@pytest.mark.parametrize("setting", ["url_token_file", "sweep_file"])
def test_a_settings_file_that_cannot_be_read_is_named_by_its_own_setting(
    dlr: Dlr, tmp_path: Path, setting: str
) -> None:
    path = tmp_path / "missing"
    said = dlr.fails("reports", code=2, **{setting: str(path)})
    assert f"DLR_{setting.upper()}: {path} cannot be read (No such file or directory)\n" in said
