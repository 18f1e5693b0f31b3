"""All of it: `dlr up` with its real parts, as a user meets it."""

import json
import os
import pty
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from cli.supervisor.valkey import running_url
from tests.support import ports
from tests.up.runs import ROOT, Run, descendants, is_alive, running, share_of_memory, until

# Where no bytecode may be kept, each import is compiled anew: seconds in which a user's start would be over.
SLOW = 60.0
UP = ("-c", "from cli.up import up; up(prog_name='dlr up')")


@contextmanager
def up(state: Path, port: int, **environ: str) -> Iterator[Run]:
    """Run `dlr up` in a state folder."""
    given = {"DLR_STATE_DIR": str(state), "DLR_WEB_BIND": f"127.0.0.1:{port}"}
    given |= {"DLR_PROXY_BIND": f"127.0.0.1:{ports.free_port()}", **environ}
    with running(*UP, environ=given) as run:
        yield run


def ready(run: Run) -> str:
    """Wait for the greeting; return its curl line."""
    until(lambda: " message sample-" in run.greeting, lambda: f"a greeting after {run.lines}", SLOW)
    return next(line for line in run.greeting.splitlines() if line.strip().startswith("curl "))


def paste(line: str) -> dict[str, object]:
    """Run a line as a shell would; return the endpoint's answer."""
    answer = subprocess.run(line, shell=True, check=True, capture_output=True, text=True, timeout=20)
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def decided(state: Path) -> int:
    """Return how many decisions are committed."""
    with closing(sqlite3.connect(f"file:{state / 'dlr.sqlite'}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM decisions").fetchone()[0])


def test_a_first_start_takes_the_pasted_report_through_to_a_decision(tmp_path: Path, free_port: int) -> None:
    state = tmp_path / "state"
    with up(state, free_port) as run:
        line = ready(run)
        assert "Only this machine can reach it" in run.greeting
        assert run.said("valkey", "WARNING") == []
        answer = paste(line)
        assert (answer["accepted"], answer["quarantined"]) == (1, [])
        until(lambda: decided(state) == 1)
        below = descendants(run.pid)
        assert sum(map(share_of_memory, (run.pid, *below))) < 350
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert not [path for path in state.rglob("*") if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077]
        assert_not_on_a_command_line(state, (run.pid, *below))
        run.process.send_signal(signal.SIGINT)
        assert run.end(30) == 0
        assert not any(map(is_alive, below))
        stopped = [one["part"] for one in run.events if one["event"] == "stopped"]
        assert (set(stopped[:2]), stopped[-1], len(stopped)) == ({"web", "proxy"}, "valkey", 6)


def assert_not_on_a_command_line(state: Path, pids: tuple[int, ...]) -> None:
    """Fail where the broker's password shows in any process's command line."""
    password = running_url(state).split("@")[0].rpartition(":")[2].encode()
    assert len(password) == 64
    assert not [pid for pid in pids if password in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_the_first_start_makes_a_key_for_applications_and_shows_it_once(tmp_path: Path, free_port: int) -> None:
    state = tmp_path / "state"
    with up(state, free_port) as run:
        ready(run)
        until(lambda: "/proxy/dlr_" in run.greeting)
        url = next(line for line in run.greeting.splitlines() if "/proxy/dlr_" in line).strip()
        # Nobody said where Infobip is: that, and not the key, is what is wrong.
        with pytest.raises(HTTPError) as refused:
            urlopen(f"{url}/account/1/balance", timeout=10)
        assert json.load(refused.value)["error"]["code"] == "no_base_url"
        refused.value.close()
        assert url.rpartition("/")[2] not in "".join(run.lines)
    with up(state, free_port, DLR_PROXY_BIND="off") as run:
        ready(run)
        assert run.said("proxy", "ready") == []
    with up(state, free_port) as run:
        ready(run)
        assert "/proxy/dlr_" not in run.greeting


def test_a_second_start_names_the_first_and_changes_nothing(tmp_path: Path, free_port: int) -> None:
    with up(tmp_path, free_port) as first:
        ready(first)
        with up(tmp_path, free_port) as second:
            assert second.end(SLOW) == 1
            assert f"already running in {tmp_path} as process {first.pid}" in second.lines[-1]
        assert first.process.poll() is None


def test_every_part_that_is_killed_comes_back_and_work_goes_on(tmp_path: Path, free_port: int) -> None:
    with up(tmp_path, free_port) as run:
        line = ready(run)
        parts = ("valkey", "web", "process", "effects", "beat")
        for part in parts:
            os.kill(int(run.said(part, "ready as process")[-1].split()[3]), signal.SIGKILL)
        for part in parts:
            run.wait_for(part, "was ended by SIGKILL")
            until(lambda part=part: len(run.said(part, "ready as process")) == 2, lambda part=part: part, SLOW)  # type: ignore[misc]
        assert paste(line)["accepted"] == 1
        until(lambda: decided(tmp_path) == 1)


def test_what_a_killed_supervisor_left_is_taken_up_by_the_next(tmp_path: Path, free_port: int) -> None:
    with up(tmp_path, free_port) as first:
        line = ready(first)
        below = descendants(first.pid)
        os.kill(int(first.said("process", "ready as process")[-1].split()[3]), signal.SIGSTOP)
        paste(line)
        first.process.kill()
        until(lambda: not any(map(is_alive, below)))
    with up(tmp_path, free_port) as second:
        token = ready(second).rpartition("/webhook/sms/")[2]
        assert token == line.rpartition("/webhook/sms/")[2]
        until(lambda: decided(tmp_path) == 1)


def test_an_address_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, up(tmp_path, other.getsockname()[1]) as run:
        assert run.end(SLOW) == 1
        assert "choose another address with DLR_WEB_BIND" in run.lines[-1]
        assert not (tmp_path / "valkey").exists()


@pytest.mark.parametrize(
    "environ",
    [
        {"DLR_WEB_BIND": "8080"},
        {"DLR_PROCESSORS": "many"},
        {"DLR_AUTH": "tokn"},
        {"DLR_DEFAULT_CHANNEL": "smss"},
        {"DLR_DATABASE_URL": "nonsense"},
        {"DLR_DATABASE_URL": "mysql://dlr:secret@db/dlr"},
        {"DLR_POLICY": "missing.toml"},
        {"DLR_PROXY_SUPPRESSED": "maybe"},
        {"DLR_INFOBIP_URL": "https://infobip.example.com"},
        {"DLR_PROXY_BIND": "8090"},
        {"DLR_CODES_LOCAL": "missing.csv"},
        {"DLR_ALERT_ROUTES": "missing.toml"},
        {"DLR_FORWARD": "missing.toml"},
        {"DLR_ACCOUNTS": "missing.toml"},
        {"DLR_RELAY_URL": "ftp://nowhere"},
        {"DLR_SYNC_BATCH": "0"},
    ],
    ids=lambda environ: "-".join(*environ.items()),
)
def test_wrong_settings_are_named_and_nothing_is_left(tmp_path: Path, free_port: int, environ: dict[str, str]) -> None:
    with up(tmp_path, free_port, **environ) as run:
        assert run.end(SLOW) == 2
        assert any(next(iter(environ)) in line for line in run.lines[-2:])
        assert not (tmp_path / "valkey").exists()


def test_a_state_folder_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, free_port: int) -> None:
    taken = tmp_path / "a-file"
    taken.touch()
    with up(taken, free_port) as run:
        assert run.end(SLOW) == 1
        said = f"Error: Could not start: the state folder {taken} cannot be used (it is a file); give it to this user"
        assert run.lines[-1].startswith(said)
        assert "DLR_STATE_DIR" in run.lines[-1]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "own.toml").write_text("version = 1\n[[rule]]\nid = 7\n")
    wrong = {"DLR_AUTH": "tokn", "DLR_DATABASE_URL": "nonsense", "DLR_POLICY": str(tmp_path / "own.toml")}
    with up(tmp_path / "state", free_port, **wrong) as run:
        assert run.end(SLOW) == 2
        assert all(any(name in line for line in run.lines) for name in wrong)


def test_on_a_terminal_each_line_begins_with_its_part_and_ctrl_c_stops_it(tmp_path: Path, free_port: int) -> None:
    environ = {**os.environ, "DLR_STATE_DIR": str(tmp_path), "DLR_WEB_BIND": f"127.0.0.1:{free_port}"}
    environ["DLR_PROXY_BIND"] = f"127.0.0.1:{ports.free_port()}"
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, (sys.executable, *UP), environ)
    shown = b""
    while b" message sample-" not in shown:
        shown += os.read(terminal, 65536)
    below = descendants(pid)
    os.write(terminal, b"\x03")
    try:
        while content := os.read(terminal, 65536):
            shown += content
    except OSError:  # the other side is closed
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not any(map(is_alive, below))
    assert b"dlr up   | web: ready as process" in shown
    assert b"\r\nweb      | " in shown
    assert b'{"event"' not in shown
