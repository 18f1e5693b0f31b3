"""`dlr doctor` finds what is not in order, and says how to put it right."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import update

from cli.supervisor.valkey import find_server
from store.database import open_database
from store.moments import EPOCH
from store.schema import inbox, reports
from store.vault import KEY_FILE, Vault
from tests.support.desk import Desk, report
from tests.support.dlr import Dlr, installed
from tests.support.keys import rotated, write_keys
from tests.support.ports import free_port
from tests.webhook.world import Endpoint


def found(dlr: Dlr, check: str, *words: str, **settings: str) -> list[tuple[str, str, str]]:
    """Return severity, message and fix of the findings of one check."""
    result = dlr.run("doctor", "--format", "json", *words, **settings)
    findings = json.loads(result.stdout)
    assert result.exit_code == int(any(one["severity"] == "error" for one in findings))
    assert all(one["fix"] for one in findings if one["severity"] != "ok")
    return [(one["severity"], one["message"], one["fix"]) for one in findings if one["check"] == check]


def severities(dlr: Dlr, check: str, *words: str, **settings: str) -> list[str]:
    return [severity for severity, _, _ in found(dlr, check, *words, **settings)]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    """A real Valkey, and its URL."""
    port = free_port()
    command = [str(find_server()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with Redis.from_url(url) as client:
            until = time.monotonic() + 10
            while time.monotonic() < until:
                try:
                    client.ping()
                    break
                except RedisError:
                    time.sleep(0.02)
            client.config_set("maxmemory-policy", "noeviction")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_a_fresh_installation_has_no_error_and_something_to_think_about(dlr: Dlr) -> None:
    result = dlr.run("doctor")
    assert result.exit_code == 0
    assert "0 errors" in result.stderr
    checks = {line.split("\t")[1]: line.split("\t")[0] for line in result.stdout.splitlines()}
    assert checks["database"] == checks["policy"] == checks["codes"] == checks["clock"] == checks["disk"] == "ok"
    assert checks["public url"] == checks["keys"] == checks["modes"] == "warning"


def test_every_wrong_setting_is_named(dlr: Dlr) -> None:
    messages = [message for _, message, _ in found(dlr, "settings", web_threads="many", nonsense="1")]
    assert len(messages) == 2
    assert "DLR_WEB_THREADS" in messages[0]
    assert "DLR_NONSENSE" in messages[1]


def test_a_state_folder_that_is_a_file_is_all_that_is_told(dlr: Dlr, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("somebody's")
    result = dlr.run("doctor", state_dir=str(taken))
    assert result.exit_code == 1
    [line] = result.stdout.splitlines()
    assert line.split("\t")[:3] == ["error", "settings", f"DLR_STATE_DIR names {taken}, which is a file"]
    assert taken.read_text() == "somebody's"


def test_wrong_rules_and_codes_are_found(dlr: Dlr, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("version = 1\n[[rule]]\nid = 7\n")
    assert severities(dlr, "policy", policy=str(wrong)) == ["error"]
    assert severities(dlr, "codes", codes_local=str(wrong)) == ["error"]
    assert severities(dlr, "policy", policy=str(tmp_path / "missing")) == ["error"]


class TestDatabase:
    def test_one_that_is_away(self, tmp_path: Path) -> None:
        away = installed(f"postgresql+psycopg://dlr@127.0.0.1:{free_port()}/dlr", tmp_path)
        ((severity, message, _),) = found(away, "database")
        assert severity == "error"
        assert "cannot be reached" in message

    def test_one_without_tables(self, tmp_path: Path, database_url: str) -> None:
        ((severity, _, fix),) = found(installed(database_url, tmp_path), "database")
        assert severity == "error"
        assert "dlr migrate" in fix

    def test_one_that_is_locked_by_another_writer(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'locked.sqlite'}?timeout=0"
        dlr = installed(url, tmp_path)
        dlr("migrate")
        database = open_database(url)
        try:
            with database.transaction():
                assert severities(dlr, "database") == ["error"]
        finally:
            database.close()


class TestKeys:
    def test_a_backup_is_asked_for_until_it_is_confirmed(self, dlr: Dlr, desk: Desk) -> None:
        ((severity, _, fix),) = found(dlr, "keys")
        assert severity == "warning"
        assert "dlr keys backup-done" in fix
        dlr("keys", "backup-done")
        assert severities(dlr, "keys") == ["ok"]

    def test_missing_ones_are_an_error_and_no_new_ones_are_made(self, dlr: Dlr, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "state" / "keys.json"
        path.rename(tmp_path / "away")
        ((severity, message, fix),) = found(dlr, "keys")
        assert severity == "error"
        assert "is missing" in message
        assert "backup" in fix
        assert not path.exists()
        assert "restore it from the backup" in dlr.fails("reports")

    def test_others_must_not_read_them(self, dlr: Dlr, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "state" / "keys.json"
        path.chmod(0o644)
        assert any("others may read" in message for _, message, _ in found(dlr, "keys"))


class TestBroker:
    def test_one_that_answers(self, dlr: Dlr, valkey: str) -> None:
        assert severities(dlr, "broker", redis_url=valkey) == ["ok"]
        assert severities(dlr, "worker", redis_url=valkey) == ["warning"]

    def test_one_that_would_drop_queues(self, dlr: Dlr, valkey: str) -> None:
        with Redis.from_url(valkey) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        assert severities(dlr, "broker", redis_url=valkey) == ["error", "ok"]

    def test_one_that_is_away(self, dlr: Dlr) -> None:
        ((severity, _, fix),) = found(dlr, "broker", redis_url=f"redis://127.0.0.1:{free_port()}/0")
        assert severity == "error"
        assert "DLR_REDIS_URL" in fix

    def test_one_that_is_frozen_costs_seconds_not_minutes(self, dlr: Dlr) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            begin = time.monotonic()
            assert severities(dlr, "broker", redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0") == ["error"]
        assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    ("settings", "severity"),
    [
        ({}, "ok"),
        ({"url_token": "t0ken"}, "ok"),
        ({"auth": "hmac"}, "error"),
        ({"auth": "hmca"}, "error"),
        ({"allow_unauthenticated": "true"}, "warning"),
        ({"allow_unauthenticated": "true", "url_token": "t0ken"}, "warning"),
        ({"auth": "token", "url_token": "t0ken", "hmac_secret": "s3cret"}, "warning"),
    ],
)
def test_who_may_post_is_looked_at(dlr: Dlr, settings: dict[str, str], severity: str) -> None:
    assert severities(dlr, "auth", **settings) == [severity]
    assert "t0ken" not in dlr.run("doctor", **settings).output


def test_what_waits_is_counted(dlr: Dlr, desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27), report("m-2", 9, 1, to="447700900456"))
    desk.post_body(b"?", undecoded=True)
    desk.drain()
    desk.handle(report("m-3", 12))
    desk.fold()
    messages = [message for _, message, _ in found(dlr, "modes")]
    assert "resends are only recorded (mode observe): 1 waiting" in messages[0]
    assert "(mode propose): 1 waiting" in messages[1]
    [(severity, message, fix)] = found(dlr, "waits")
    assert severity == "warning"
    assert message == "1 resend only observed, 1 suppression proposed: waiting for somebody"
    assert "dlr retries list" in fix
    assert severities(dlr, "quarantine") == severities(dlr, "incidents") == ["warning"]


def test_where_nothing_waits_it_says_so(dlr: Dlr) -> None:
    assert severities(dlr, "waits") == ["ok"]


def test_callbacks_that_nobody_takes_are_an_error(dlr: Dlr, desk: Desk) -> None:
    desk.post(report("m-1", 5))
    assert severities(dlr, "inbox") == ["ok"]
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).values(received_at=datetime.now(UTC) - timedelta(minutes=5)))
    assert severities(dlr, "inbox") == ["error"]


def test_a_clock_that_went_back_is_an_error(dlr: Dlr, desk: Desk) -> None:
    desk.handle(report("m-1", 5))
    with desk.database.transaction() as connection:
        connection.execute(update(reports).values(received_at=datetime.now(UTC) + timedelta(hours=1)))
    assert severities(dlr, "clock") == ["error"]


def test_a_clock_that_is_behind_shows_in_the_reports_own_times(dlr: Dlr, desk: Desk) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    desk.handle(*(report(f"m-{number}", 5, doneAt=ahead) for number in range(12)))
    assert severities(dlr, "clock") == ["warning"]


@pytest.mark.parametrize("time", [None, "1970-01-01T00:00:00.000+0000", "yesterday"])
def test_reports_without_a_time_that_can_be_used_are_no_fault_of_the_clock(
    dlr: Dlr, desk: Desk, time: str | None
) -> None:
    desk.handle(*(report(f"m-{number}", 5, doneAt=time) for number in range(12)))
    ((severity, message, fix),) = found(dlr, "clock")
    assert severity == "ok"
    assert "most reports tell no time that can be used, and count by when they came" in message
    assert "NTP" not in fix


def test_a_full_disk_is_an_error(dlr: Dlr, monkeypatch: pytest.MonkeyPatch) -> None:
    # The one thing that no test can make: a machine without room.
    usage = shutil._ntuple_diskusage(10**12, 10**12, 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert severities(dlr, "disk") == ["error"]


class TestPublic:
    @pytest.fixture
    def endpoint(self, dlr: Dlr, tmp_path: Path) -> Iterator[dict[str, str]]:
        """The real endpoint, and the settings that lead to it."""
        environ = dlr.settings | {"DLR_URL_TOKEN": "", "DLR_HMAC_SECRET": "s3cret"}
        server = Endpoint(tmp_path, **environ)
        try:
            yield {"hmac_secret": "s3cret", "public_url": server.url}
        finally:
            server.stop()

    def test_a_sample_comes_back_and_is_in_the_database(self, dlr: Dlr, desk: Desk, endpoint: dict[str, str]) -> None:
        ((severity, message, _),) = found(dlr, "public post", "--public", **endpoint)
        assert severity == "ok"
        assert "came back with 200" in message
        desk.drain()
        assert [row.outcome for row in desk.rows(reports)] == ["delivered"]

    def test_a_refusal_is_explained(self, dlr: Dlr, endpoint: dict[str, str]) -> None:
        wrong = endpoint | {"hmac_secret": "another"}
        ((severity, message, fix),) = found(dlr, "public post", "--public", **wrong)
        assert severity == "error"
        assert "it answers 40" in message
        assert "credentials" in fix

    def test_a_foreign_service_is_recognised(self, dlr: Dlr, endpoint: dict[str, str], tmp_path: Path) -> None:
        other = installed(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path / "other")
        other("migrate")
        ((severity, message, _),) = found(other, "public post", "--public", **endpoint)
        assert severity == "error"
        assert "not in this database" in message

    def test_no_answer_and_no_url_are_errors(self, dlr: Dlr) -> None:
        assert severities(dlr, "public post", "--public") == ["error"]
        nobody = f"http://127.0.0.1:{free_port()}"
        ((_, message, _),) = found(dlr, "public post", "--public", public_url=nobody)
        assert "no answer" in message


def test_what_it_prints_for_programs_has_one_form(dlr: Dlr) -> None:
    assert {tuple(one) for one in dlr.json("doctor")} == {("severity", "check", "message", "fix")}


def test_callbacks_that_wait_for_a_key_are_named_with_the_host_that_lacks_it(
    dlr: Dlr, desk: Desk, tmp_path: Path
) -> None:
    newer = rotated(desk.vault.keys)
    Desk(desk.database, Vault(newer), desk.rules).post(report())
    assert [severity for severity, text, _ in found(dlr, "keys") if "for a key" in text] == ["error"]
    desk.drain()
    desk.fold()
    told = [(severity, fix) for severity, text, fix in found(dlr, "keys") if f"host {socket.gethostname()}" in text]
    assert [severity for severity, _ in told] == ["warning"]
    assert KEY_FILE in told[0][1]
    write_keys(tmp_path / "state" / KEY_FILE, newer)
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).values(lease_until=EPOCH))
    assert desk.drain().reports == 1
    assert "error" not in severities(dlr, "keys")
