"""A world for every test, on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database
from store.vault import Vault
from tests.resend.world import World
from tests.resend.world import world as make_world
from tests.support.dlr import Dlr, installed
from tests.support.infobip import KEY


@pytest.fixture
def world(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    with make_world(database, vault, tmp_path) as made:
        yield made


@pytest.fixture
def dlr(world: World, database_url: str, tmp_path: Path) -> Dlr:
    """The commands beside the world: the same database, policy and Infobip."""
    made = installed(database_url, tmp_path / "state")
    made.settings |= {"DLR_POLICY": str(tmp_path / "policy.toml"), "DLR_INFOBIP_URL": world.infobip.url}
    made.settings |= {"DLR_INFOBIP_KEY": KEY}
    return made
