"""The bundled Valkey: private, with a password, and keeping what it was told."""

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from kombu import Connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from cli.supervisor.valkey import NoBroker, Valkey, bundled_server, find_server, first_that_runs, prepare, running_url
from tests.up.runs import until


@contextmanager
def serving(valkey: Valkey) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the server until the end of the block."""
    process = subprocess.Popen((find_server(), valkey.config), stdout=subprocess.DEVNULL)
    try:
        until(valkey.is_ready)
        yield process
    finally:
        process.kill()
        process.wait()


def client(valkey: Valkey, password: str | None = None) -> redis.Redis:
    """Return a client, by default with the right password."""
    secret = valkey.password if password is None else password
    once = Retry(NoBackoff(), 0)
    return redis.Redis(unix_socket_path=str(valkey.socket), password=secret or None, decode_responses=True, retry=once)


def test_the_package_brings_a_server_that_runs_here() -> None:
    server = bundled_server()
    assert server is not None
    assert os.access(server, os.X_OK)
    assert find_server() == server


def test_without_the_package_a_new_enough_server_of_the_machine_is_taken(tmp_path: Path) -> None:
    outputs = {"old": "Redis server v=6.0.16 sha=0", "new": "Redis server v=7.0.15 sha=0", "foreign": "what?"}
    for name, output in outputs.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{output}'\n")
        program.chmod(0o700)
    unfit = (None, tmp_path / "gone", tmp_path / "foreign", tmp_path / "old")
    assert first_that_runs((*unfit, tmp_path / "new")) == tmp_path / "new"
    with pytest.raises(NoBroker, match=r"apt install .* DLR_REDIS_URL"):
        first_that_runs(unfit)


def test_a_password_is_asked_for_and_nothing_listens_on_the_network(tmp_path: Path) -> None:
    valkey = prepare(tmp_path)
    with serving(valkey) as process:
        for password in ("", "wrong"):
            with client(valkey, password) as stranger, pytest.raises(redis.AuthenticationError):
                stranger.ping()
        with client(valkey) as ours:
            assert ours.config_get("port") == {"port": "0"}
            assert ours.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert ours.config_get("appendfsync") == {"appendfsync": "everysec"}
            assert ours.config_get("save") == {"save": ""}
        assert valkey.password.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        for private in (valkey.config, valkey.socket, tmp_path / "valkey" / "url"):
            assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0


def test_what_it_was_told_survives_a_kill_and_a_new_password(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    with serving(first) as process, client(first) as ours:
        ours.rpush("dlr:process", "one", "two")
        process.send_signal(signal.SIGKILL)
        process.wait()
    second = prepare(tmp_path)
    assert second.password != first.password
    with serving(second), client(second) as ours:
        assert ours.lrange("dlr:process", 0, -1) == ["one", "two"]


@pytest.mark.parametrize("folder", ["plain", 'with blank, "quote", per%cent and ü', "long/" * 30 + "end"])
def test_celery_reaches_it_by_its_url_wherever_the_state_folder_is(tmp_path: Path, folder: str) -> None:
    state = tmp_path / folder
    state.mkdir(parents=True)
    valkey = prepare(state)
    assert running_url(state) == valkey.url
    assert len(os.fsencode(valkey.socket)) <= 100
    with serving(valkey), Connection(valkey.url) as connection:
        queue = connection.SimpleQueue("try")
        queue.put({"id": 1})
        assert queue.get(timeout=5).payload == {"id": 1}
        queue.close()
    assert stat.S_IMODE(valkey.socket.parent.stat().st_mode) == 0o700


def test_a_place_for_the_socket_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    state = tmp_path / ("long/" * 30)
    state.mkdir(parents=True)
    place = prepare(state).socket.parent
    place.chmod(0o755)
    with pytest.raises(NoBroker, match="not a private folder"):
        prepare(state)
    place.rmdir()


def test_a_server_that_is_away_or_frozen_is_not_ready(tmp_path: Path) -> None:
    valkey = prepare(tmp_path)
    assert not valkey.is_ready()
    with serving(valkey) as process:
        process.send_signal(signal.SIGSTOP)
        assert not valkey.is_ready()
        process.send_signal(signal.SIGCONT)
        until(valkey.is_ready)


def test_workers_that_wait_for_tasks_are_counted(tmp_path: Path) -> None:
    valkey = prepare(tmp_path)
    with serving(valkey), client(valkey) as waiting:
        assert valkey.listeners() == 0
        waiting.brpop(["queue"], timeout=0.1)
        assert valkey.listeners() == 1


def test_where_it_never_ran_there_is_no_url(tmp_path: Path) -> None:
    assert running_url(tmp_path) == ""
