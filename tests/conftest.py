"""What every test relies on."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store.database import Database, open_database
from store.sqlite import received_file
from store.vault import Vault, open_vault
from tests.support import compiled, postgres
from tests.support.databases import Databases, migrated
from tests.support.longest import LONGEST

# The settings of whoever runs the tests are not the tests' affair.
for name in [name for name in os.environ if name.startswith("DLR_")]:
    del os.environ[name]

compiled.share()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, let them begin with the longest files: they are given out in this order."""
    if hasattr(config, "workerinput"):
        places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long tests be asked for."""
    parser.addoption("--chaos", action="store_true", help="the storm with 2,000 messages on three seeds as well")
    parser.addoption("--storm", type=int, default=5_000, help="reports of one cause in tests/alerts/test_storm.py")


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


# The migration takes a good part of a second, and hundreds of tests want its outcome.
@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with this release's tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "dlr.sqlite"
    migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    """The databases of that server."""
    made = Databases(postgres_url)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind: with this release's tables where the test asks for `database` too, else empty."""
    if "database" in request.fixturenames:
        with _with_tables(request, tmp_path) as url:
            yield url
    elif request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'dlr.sqlite'}"
    else:
        server: Databases = request.getfixturevalue("databases")
        yield server.empty()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of each kind with this release's tables, for tests of one module that look at the same rows."""
    with _with_tables(request, tmp_path_factory.mktemp("module")) as url:
        yield url


@contextmanager
def _with_tables(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path, template = folder / "dlr.sqlite", request.getfixturevalue("sqlite_template")
        shutil.copyfile(template, path)
        shutil.copyfile(received_file(str(template)), received_file(str(path)))
        yield f"sqlite:///{path}"
    else:
        server: Databases = request.getfixturevalue("databases")
        with server.with_tables() as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind with this release's tables."""
    opened = open_database(database_url, synchronous="NORMAL")
    yield opened
    opened.close()


@pytest.fixture
def vault(database: Database, tmp_path: Path) -> Vault:
    """The vault of that database."""
    return open_vault(tmp_path / "state", database)
