"""One installation for every test: an endpoint, a worker, and the commands beside them."""

from pathlib import Path

import pytest

from store.database import Database
from store.vault import Vault
from tests.support.desk import Desk
from tests.support.desk import desk as make_desk
from tests.support.dlr import Dlr, installed


@pytest.fixture
def desk(database: Database, vault: Vault) -> Desk:
    return make_desk(database, vault)


@pytest.fixture
def dlr(database_url: str, vault: Vault, tmp_path: Path) -> Dlr:
    """The commands beside the desk; the tables and the keys are there."""
    return installed(database_url, tmp_path / "state")
