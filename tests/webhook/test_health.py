"""`/healthz` and `/readyz` say what is wrong, and only what costs callbacks takes a host out."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.inbox import Arrival, keep
from store.revision import revisions
from store.schema import metadata
from store.sqlite import received_file
from tests.support.revision import set_revision
from tests.webhook.world import Broker, World
from webhook.app import create_app
from webhook.ringer import Bell, Ringer


def ready(world: World, ringer: Ringer | None = None) -> tuple[int, dict[str, Any]]:
    app = create_app(world.settings, database=world.database, vault=world.vault, doorbell=ringer or world.ringer)
    answer = app.test_client().get("/readyz")
    assert answer.json is not None
    return answer.status_code, answer.json


def test_all_well(world: World) -> None:
    assert ready(world) == (200, {"status": "ready", "problems": []})
    answer = world.app().test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_missing_tables_are_not_ready(world: World) -> None:
    metadata.tables["outbox"].drop(world.database.engine)
    status, said = ready(world)
    assert (status, said["status"]) == (503, "not ready")
    assert "tables are missing" in said["problems"][0]["message"]


def test_tables_of_an_older_release_are_not_ready(world: World) -> None:
    set_revision(world.database, "")
    status, said = ready(world)
    assert (status, said["status"]) == (503, "not ready")
    assert revisions()[-1] in said["problems"][0]["message"]
    assert "dlr migrate" in said["problems"][0]["next_step"]


def test_tables_of_a_newer_release_degrade_it_and_keep_taking_callbacks(world: World) -> None:
    set_revision(world.database, "9999")
    status, said = ready(world)
    assert (status, said["status"]) == (200, "degraded")
    assert "9999" in said["problems"][0]["message"]


def test_a_locked_database_is_not_ready_and_its_words_stay_in_the_log(world: World, tmp_path: Path) -> None:
    other = sqlite3.connect(received_file(str(tmp_path / "dlr.sqlite")), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    status, said = ready(world)
    other.close()
    assert status == 503
    assert said["problems"][0]["check"] == "database"
    assert "locked" not in str(said)


def test_while_only_the_workers_file_is_locked_it_keeps_taking_callbacks(world: World, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "dlr.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    status, said = ready(world)
    other.close()
    assert (status, said["status"]) == (200, "degraded")
    assert "callbacks are kept" in said["problems"][0]["message"]
    assert "locked" not in str(said)


def test_old_callbacks_degrade_it(world: World) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    with world.database.transaction() as connection:
        keep(connection, world.vault, Arrival("main", "sms", "", b"{}", long_ago, True))
    status, said = ready(world)
    assert (status, said["status"], said["problems"][0]["check"]) == (200, "degraded", "backlog")


@pytest.mark.parametrize("frozen", [False, True])
def test_a_dead_or_frozen_broker_degrades_it(world: World, broker: Broker, frozen: bool) -> None:
    ringer = Ringer(world.doorbell, Bell(broker.url))
    assert ready(world, ringer)[1]["status"] == "ready"
    if frozen:
        broker.freeze()
    else:
        broker.stop()
    status, said = ready(world, ringer)
    ringer.close()
    assert (status, said["problems"][0]["check"]) == (200, "broker")
