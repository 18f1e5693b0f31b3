"""`dlr simulate` as a process of its own."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.simulator.bodies import PERSON
from tests.support.infobip import sms

ROOT = Path(__file__).parents[2]


@contextmanager
def running(*words: str, stdout: int = subprocess.PIPE) -> Iterator["subprocess.Popen[str]"]:
    """Run the command; whatever happens, it is gone afterwards."""
    command = [sys.executable, "-m", "cli.main", "simulate", "--port", "0", *words]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


def lines_until(process: "subprocess.Popen[str]", word: str) -> str:
    found = ""
    assert process.stdout is not None
    while word not in found:
        line = process.stdout.readline()
        assert line, found
        found += line
    return found


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_it_says_all_that_is_needed_and_stops_when_asked(asked: signal.Signals, tmp_path: Path) -> None:
    scenario = tmp_path / "own.toml"
    scenario.write_text('name = "my own"\notherwise = [{ after = "0s" }]\n')
    words = ("--scenario", str(scenario), "--speed", "5", "--notify-url", "http://127.0.0.1:9/t0ken")
    with running(*words) as process:
        welcome = lines_until(process, "What happened")
        assert "my own, 5 times as fast" in welcome
        assert "else to http://127.0.0.1:9\n" in welcome
        assert "t0ken" not in welcome
        url = re.findall(r"listens on (http://127\.0\.0\.1:\d+)", welcome)[0]
        key = re.findall(r"Authorization: (App [0-9a-f]{32})", welcome)[0]
        answer = requests.post(f"{url}/sms/3/messages", json=sms(), headers={"Authorization": key}, timeout=20)
        assert answer.status_code == 200
        process.send_signal(asked)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Stopped. 1 accepted, 0 rejected" in output
    assert errors == ""
    assert PERSON not in welcome + output


def test_a_key_of_ones_own_is_not_printed() -> None:
    with running("--api-key", "k3y-71") as process:
        assert "k3y-71" not in lines_until(process, "What happened")


def test_a_mistake_ends_it_with_the_next_step(tmp_path: Path) -> None:
    scenario = tmp_path / "own.toml"
    scenario.write_text('[[rule]]\nname = "a"\nslow = "fast"\n')
    with running("--scenario", str(scenario)) as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "")
    assert "own.toml, rule 1 (a), slow: 'fast' is not a duration. Write" in errors


def test_a_terminal_shows_the_numbers_as_they_change() -> None:
    ours, theirs = pty.openpty()
    shown = bytearray()

    def listen() -> None:
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:  # the terminal's other end is closed
                return
            if not data:
                return
            shown.extend(data)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    with running(stdout=theirs) as process:
        os.close(theirs)
        for _ in range(300):
            if b"\r\x1b[K0 accepted, 0 rejected" in shown:
                break
            threading.Event().wait(0.1)
        process.send_signal(signal.SIGINT)
        process.wait(30)
        listener.join(10)
    os.close(ours)
    assert b"\r\x1b[K0 accepted, 0 rejected" in shown
    assert process.returncode == 0
