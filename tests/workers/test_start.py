"""A worker, a beat or an endpoint never starts on another release's tables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import load_settings
from store.database import Database, open_database
from store.errors import NotMigrated
from store.migrate import migrate_database
from tests.support.revision import set_revision
from tests.support.stack import ROOT
from workers.context import open_context

CELERY = ("-m", "celery", "--app=workers.app")
STARTS = {
    "worker": (*CELERY, "worker", "--pool=solo", "--concurrency=1"),
    "beat": (*CELERY, "beat", "--schedule=beat", "--pidfile="),
    "web": ("-m", "webhook"),
    "proxy": ("-m", "webhook.proxy"),
}


def tables(folder: Path, revision: str) -> Database:
    database = open_database(f"sqlite:///{folder / 'dlr.sqlite'}")
    migrate_database(database)
    set_revision(database, revision)
    return database


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process on loopback whose state is in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}
    return kept | {
        "DLR_STATE_DIR": str(folder),
        "DLR_REDIS_URL": "memory://",
        "DLR_WEB_BIND": "127.0.0.1:0",
        "DLR_PROXY_BIND": "127.0.0.1:0",
        "DLR_ALLOW_UNAUTHENTICATED": "true",
        "PYTHONPATH": str(ROOT),
    }


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize(("revision", "step"), [("", "run `dlr migrate`"), ("9999", "run that release")])
def test_it_refuses_tables_of_another_release_and_says_what_to_do(
    name: str, revision: str, step: str, tmp_path: Path
) -> None:
    tables(tmp_path, revision).close()
    environ = environment(tmp_path)
    done = subprocess.run(
        [sys.executable, *STARTS[name]], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert step in done.stdout + done.stderr
    assert (revision or "are missing") in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_task_opens_nothing_on_tables_that_were_changed_since_the_start(tmp_path: Path) -> None:
    tables(tmp_path, "9999").close()
    with pytest.raises(NotMigrated):
        open_context(load_settings({"DLR_STATE_DIR": str(tmp_path)}))
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DLR_ALERT_ROUTES", "nowhere.toml"),
        ("DLR_POLICY", "nowhere.toml"),
        ("DLR_CODES_LOCAL", "nowhere.tsv"),
        ("DLR_FORWARD", "nowhere.toml"),
        ("DLR_RELAY_URL", "no url"),
    ],
)
def test_a_worker_that_could_decide_nothing_does_not_start(setting: str, value: str, tmp_path: Path) -> None:
    migrated = open_database(f"sqlite:///{tmp_path / 'dlr.sqlite'}")
    migrate_database(migrated)
    migrated.close()
    environ = environment(tmp_path) | {setting: value}
    done = subprocess.run(
        [sys.executable, *STARTS["worker"]], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert done.returncode != 0
    assert "This cannot start" in done.stdout + done.stderr
    assert value in done.stdout + done.stderr or setting in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
