import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import open_database
from store.sqlite import received_file
from store.vault import open_vault
from tests.subscribe.world import Place, settings
from tests.support.dlr import Dlr
from tests.support.infobip import infobip


@pytest.fixture
def place(tmp_path: Path, sqlite_template: Path) -> Iterator[Place]:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, folder / "dlr.sqlite")
    shutil.copyfile(received_file(str(sqlite_template)), folder / "dlr.received.sqlite")
    database = open_database(f"sqlite:///{folder / 'dlr.sqlite'}")
    open_vault(folder, database)
    database.close()
    with infobip() as simulator:
        made = Place(Dlr(settings(folder, simulator)), simulator, folder)
        yield made
        if made.endpoint is not None:
            made.endpoint.stop()
