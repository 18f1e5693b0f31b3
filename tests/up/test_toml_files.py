"""A file of the user's own that cannot be used is named once, with its setting and what to do."""

from pathlib import Path

import pytest

from config.settings import SettingsError
from config.toml_files import read_toml


def test_a_file_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    with pytest.raises(SettingsError) as told:
        read_toml(path, "DLR_ALERT_ROUTES")
    assert str(told.value).startswith(f"DLR_ALERT_ROUTES: {path} cannot be read: No such file or directory. Correct")
    assert str(told.value).count(str(path)) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"a = \xff", "is not UTF-8"), (b"a = ", "is not TOML: Invalid value (at end of document)")],
)
def test_a_file_that_says_nothing_readable_is_told_as_what_it_is(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "accounts.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="DLR_ACCOUNTS") as told:
        read_toml(path, "DLR_ACCOUNTS")
    assert problem in str(told.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Is a directory"):
        read_toml(tmp_path, "DLR_FORWARD")
