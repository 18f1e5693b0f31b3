"""`dlr migrate`, and what the other commands say before it ran."""

from pathlib import Path

import pytest

from tests.support.dlr import Dlr, installed


@pytest.fixture
def new(tmp_path: Path, database_url: str) -> Dlr:
    return installed(database_url, tmp_path / "state")


def test_it_makes_the_tables_and_may_be_run_again(new: Dlr) -> None:
    assert "are now those of this release" in new("migrate")
    assert "were this release's already" in new("migrate")
    assert "No report has come in yet" in new.run("reports").stderr


@pytest.mark.parametrize(
    "words", [("reports",), ("message", "m-1"), ("quarantine", "list"), ("forget", "1", "--yes"), ("replay", "--all")]
)
def test_before_it_every_command_names_the_next_step(new: Dlr, words: tuple[str, ...]) -> None:
    assert "dlr migrate" in new.fails(*words)


def test_it_shows_no_password(tmp_path: Path) -> None:
    away = installed("postgresql+psycopg://dlr:s3cret@127.0.0.1:9/dlr", tmp_path)
    complaint = away.fails("migrate")
    assert "s3cret" not in complaint
    assert "dlr doctor" in complaint


def test_a_url_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "cannot be used" in installed("nonsense", tmp_path).fails("migrate", code=2)
    assert "cannot be used" in installed("nonsense", tmp_path).fails("reports", code=2)
