"""Commands that ask: a yes, a no, and nobody there to answer."""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from store.schema import incidents, messages, retries, suppressions
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

ASKING = [
    ("forget", PERSON),
    ("proposals", "accept", "--all"),
    ("proposals", "drop", "--rule", "unknown-recipient"),
    ("retries", "cancel", "--message", "m-1"),
    ("retries", "run", "--message", "m-1"),
    ("suppress", "undo", "--rule", "unknown-recipient", "--from", "1h"),
]


@pytest.fixture(autouse=True)
def _what_came_in(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27), report("m-2", 9, 1, to="447700900456"))


def kept(desk: Desk) -> list[object]:
    return [sorted(map(str, desk.rows(table))) for table in (messages, retries, suppressions, incidents)]


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_where_nobody_answers_it_ends_with_2_and_names_the_option(desk: Desk, dlr: Dlr, words: tuple[str, ...]) -> None:
    before = kept(desk)
    said = dlr.fails(*words, code=2)
    assert "--yes" in said
    assert "Aborted" not in said
    assert kept(desk) == before


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_a_no_changes_nothing_and_ends_with_1(desk: Desk, dlr: Dlr, words: tuple[str, ...]) -> None:
    before = kept(desk)
    assert "nothing was done" in dlr.fails(*words, answer="n\n")
    assert kept(desk) == before


def test_programs_get_an_object(desk: Desk, dlr: Dlr) -> None:
    result = dlr.run("forget", PERSON, "--format", "json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "wrong_input"


def test_ctrl_c_at_the_question_is_no_failure_of_the_input(dlr: Dlr) -> None:
    """On a real terminal: it has to be one for a person to be there."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "tests.support.dlr", "forget", PERSON]
    environment = {**os.environ, **dlr.settings}
    with subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
    ) as process:
        os.close(follower)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(leader, 4096)
        try:
            ended = _ended_by_ctrl_c(process)
        finally:
            process.kill()
        assert ended == 130
        said += os.read(leader, 4096)
    os.close(leader)
    assert b"Broken off" in said
    assert b"Aborted" not in said


def _ended_by_ctrl_c(process: "subprocess.Popen[bytes]") -> int | None:
    """Press it as a person does: once more where it came between the question and the wait for an answer."""
    for _ in range(15):
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(2)
        except subprocess.TimeoutExpired:
            continue
    return None
