"""What `dlr up` writes: JSON lines for programs, prefixed lines for people."""

import json
import os
import tempfile
from typing import Any

from cli.supervisor.screen import Lines, Screen
from tests.up.runs import Bench


def written(screen_of: dict[str, Any], *contents: bytes) -> tuple[list[str], Lines]:
    """Return the lines that a screen wrote for what a part wrote."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        lines = Lines("web", Screen(descriptor=file.fileno(), **screen_of))
        for content in contents:
            lines.feed(content)
        lines.finish()
        file.seek(0)
        return file.read().splitlines(), lines


def test_json_lines_pass_as_they_are_and_others_become_json() -> None:
    shown, _ = written({"as_json": True}, b'{"event": "reque', b'st"}\nTraceback:\n\n', b"no end")
    assert shown[0] == '{"event": "request"}'
    rest = [json.loads(line) for line in shown[1:]]
    assert [(one["part"], one["event"]) for one in rest] == [("web", "Traceback:"), ("web", "no end")]


def test_for_people_each_line_begins_with_its_part() -> None:
    shown, _ = written({"as_json": False, "names": ["database"]}, b"one\r\ntw\xff\n")
    assert shown == ["web      | one", "web      | tw\\xff"]


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    shown, _ = written({"as_json": False}, *([b"x" * 65536] * 3))
    assert len(shown) > 1


def test_the_last_line_is_kept_as_the_reason() -> None:
    _, lines = written({"as_json": False}, b"ValueError: no\n", b"\n")
    assert lines.last == "ValueError: no"


def test_a_line_that_is_not_worth_anybodys_time_is_not_shown() -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        lines = Lines("valkey", Screen(as_json=False, descriptor=file.fileno()), ("overcommit must",))
        lines.feed(b"# WARNING Memory overcommit must be enabled!\nanother\n# WARNING the disk is full\n")
        file.seek(0)
        assert file.read().splitlines() == ["valkey | another", "valkey | # WARNING the disk is full"]


def test_a_reader_that_is_gone_does_not_end_anything() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Screen(as_json=True, descriptor=writing).say("nobody reads this")
    os.close(writing)


def test_what_a_part_wrote_last_is_not_lost(bench: Bench) -> None:
    part = bench.part("worker", "sys.stderr.write('a' * 60000 + '\\nlast words'); sys.stderr.flush(); os._exit(7)")
    with bench.supervise(part, patience={"first": 600, "longest": 600}) as run:
        run.wait_for("worker", "starting it again")
        assert run.said("worker", "last words") == ["last words"]


def test_a_fork_tells_its_exception_and_ends_with_one(bench: Bench) -> None:
    part = bench.part("worker", "raise ValueError('so it is')", fork=True)
    with bench.supervise(part, patience={"first": 600, "longest": 600}) as run:
        assert "ended with exit code 1" in run.wait_for("worker", "starting it again")[0]
        assert run.said("worker", "ValueError: so it is")
