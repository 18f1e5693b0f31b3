"""A world for every test, on each kind of database."""

from collections.abc import Iterator

import pytest

from store.database import Database
from store.vault import Vault
from tests.sync.world import World
from tests.sync.world import world as make_world


@pytest.fixture
def world(database: Database, vault: Vault) -> Iterator[World]:
    with make_world(database, vault) as made:
        yield made
