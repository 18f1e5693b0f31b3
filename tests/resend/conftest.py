"""A world for every test, on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database
from store.vault import Vault
from tests.resend.world import World
from tests.resend.world import world as make_world


@pytest.fixture
def world(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    with make_world(database, vault, tmp_path) as made:
        yield made
