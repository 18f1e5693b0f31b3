"""A desk for every test: one endpoint and one worker over a real database."""

import pytest

from store.database import Database
from store.vault import Vault
from tests.support.desk import Desk
from tests.support.desk import desk as make_desk


@pytest.fixture
def desk(database: Database, vault: Vault) -> Desk:
    return make_desk(database, vault)
