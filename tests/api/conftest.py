"""An installation with an API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.vault import Vault
from tests.proxy.world import World


@pytest.fixture
def world(vault: Vault, database_url: str, tmp_path: Path) -> Iterator[World]:
    """One that calls nobody."""
    made = World(database_url, vault, tmp_path, "http://127.0.0.1:9")
    yield made
    made.close()
