"""What every test relies on."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database, open_database
from store.migrate import migrate_database
from store.vault import Vault, open_vault
from tests.support import postgres

# The settings of whoever runs the tests are not the tests' affair.
for name in [name for name in os.environ if name.startswith("DLR_")]:
    del os.environ[name]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Repeat above the closing line what ./check found before the tests, so that nobody reads a green line alone."""
    if failed := os.environ.get("CHECK_FAILED"):
        terminalreporter.section("failed before the tests", red=True, bold=True)
        terminalreporter.write_line(f"{failed}: see above; ./check exits with 1", red=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL for the whole run."""
    if postgres.binaries() is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set and no PostgreSQL binaries were found: install the postgresql package")
        pytest.skip("NO POSTGRESQL BINARIES: half of the database tests are skipped; install the postgresql package")
    folder = postgres.short_folder()
    try:
        with postgres.server(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'dlr.sqlite'}"
    return postgres.new_database(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind with this release's tables."""
    opened = open_database(database_url, synchronous="NORMAL")
    migrate_database(opened)
    yield opened
    opened.close()


@pytest.fixture
def vault(database: Database, tmp_path: Path) -> Vault:
    """The vault of that database."""
    return open_vault(tmp_path / "state", database)
