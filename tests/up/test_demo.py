"""`dlr up --demo`: all of it beside an offline Infobip, on nobody's credentials."""

import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.up.runs import ROOT, Run, descendants, is_alive, running, until

PATIENCE = 120.0
DEMO = ("-c", "from cli.up import up; up(['--demo'], prog_name='dlr up')")


def output_of(line: str) -> str:
    """Run a line that the demo printed, as a shell would."""
    return subprocess.run(line, shell=True, check=True, capture_output=True, text=True, timeout=60, cwd=ROOT).stdout


def played(run: Run) -> list[str]:
    """Wait for the end of the play; return the commands that it printed."""
    until(lambda: "Ctrl-C ends it" in run.greeting or run.process.poll() is not None, lambda: run.greeting, PATIENCE)
    assert "Ctrl-C ends it" in run.greeting, (run.greeting, run.lines)
    return [line.strip() for line in run.greeting.splitlines() if line.strip().startswith("DLR_STATE_DIR=")]


def test_the_demo_shows_a_resend_a_suppression_and_an_alert_each_with_the_command_that_explains_it(
    tmp_path: Path,
) -> None:
    # What the operator has set is about the real world, and nothing of the demo may go there.
    with socket.create_server(("127.0.0.1", 0)) as outside:
        url = f"http://127.0.0.1:{outside.getsockname()[1]}"
        environ = {"DLR_STATE_DIR": str(tmp_path), "DLR_RELAY_URL": url, "DLR_RELAY_PRIVATE": "true"}
        environ |= {"DLR_INFOBIP_URL": url, "DLR_INFOBIP_KEY": "of-the-real-account"}
        with running(*DEMO, environ=environ) as run:
            resent, suppressed, incident = played(run)
            story = output_of(resent)
            assert "EC_ABSENT_SUBSCRIBER" in story
            assert re.search(r"demo-\d+-r1", story)
            assert "delivered" in story
            assert "EC_UNKNOWN_SUBSCRIBER" in output_of(suppressed)
            assert "Parcels" in output_of(incident)
            assert "REJECTED_DESTINATION_BLOCKLISTED" in run.greeting
            assert "One incident for 12 failures" in run.greeting
            assert "1 notification of it arrived" in run.greeting
            # Who looks around afterwards finds all of it working, the alert route too.
            program, env = resent.split()[1], shlex.quote(str(tmp_path / "demo" / "env"))
            assert "demo" in output_of(f". {env} && {program} alerts test demo")
            family = descendants(run.pid)
            run.process.send_signal(signal.SIGINT)
            assert run.end(60) == 0
            until(lambda: not any(map(is_alive, family)), lambda: "the end of all parts")
        outside.setblocking(False)
        with pytest.raises(BlockingIOError):
            outside.accept()


def test_a_folder_that_no_demo_has_made_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "demo" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("keep me")
    with running(*DEMO, environ={"DLR_STATE_DIR": str(tmp_path)}) as run:
        assert run.end(60) == 1
        assert any("no demo has made" in line for line in run.lines)
    assert mine.read_text() == "keep me"


def test_a_second_demo_names_the_first_and_leaves_its_folder_alone(tmp_path: Path) -> None:
    environ = {"DLR_STATE_DIR": str(tmp_path)}
    with running(*DEMO, environ=environ) as first:
        until(lambda: "Starting" in first.greeting, lambda: f"a beginning in {first.lines}", PATIENCE)
        with running(*DEMO, environ=environ) as second:
            assert second.end(60) == 1
            assert any(shlex.quote(str(first.pid)) in line for line in second.lines), second.lines
        first.process.send_signal(signal.SIGINT)
        assert first.end(60) == 0
