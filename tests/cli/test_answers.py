"""Exit codes and forms are the same for every command: 0 for an answer, 1 for a failure, 2 for a wrong input."""

import json

import pytest

from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

LISTINGS = [
    ("reports",),
    ("reports", "--message", "nope"),
    ("codes", "search", "nope"),
    ("codes", "nope"),
    ("retries", "list"),
    ("suppress", "list"),
    ("incidents", "list"),
    ("quarantine", "list"),
]
MISSING = [
    ("message", "nope"),
    ("suppress", "show", PERSON),
    ("incidents", "show", "99"),
    ("quarantine", "show", "99"),
]
WRONG = [
    ("reports", "--channel", "smss"),
    ("codes", "--cause", "nope"),
    ("explain", "--channel", "smss", "--status", "9"),
    ("incidents", "show", "first"),
    ("replay",),
    ("quarantine", "replay"),
]


@pytest.mark.parametrize("words", LISTINGS, ids=" ".join)
def test_an_empty_list_is_an_answer_in_either_form(dlr: Dlr, words: tuple[str, ...]) -> None:
    result = dlr.run(*words)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.strip()
    assert dlr.json(*words) == []


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [*((words, 1, "not_found") for words in MISSING), *((words, 2, "wrong_input") for words in WRONG)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_a_failure_has_the_same_code_in_either_form(dlr: Dlr, words: tuple[str, ...], code: int, name: str) -> None:
    message = dlr.fails(*words, code=code)
    assert message.startswith("Error: ")
    result = dlr.run(*words, "--format", "json")
    assert result.exit_code == code
    assert json.loads(result.stdout) == {"error": {"code": name, "message": message.removeprefix("Error: ").strip()}}
    assert result.stderr == ""


def test_after_an_answer_in_json_no_second_object_follows(desk: Desk, dlr: Dlr) -> None:
    desk.post_body(b"?", undecoded=True)
    desk.drain()
    result = dlr.run("quarantine", "replay", "--all", "--format", "json")
    assert result.exit_code == 1
    assert [one["result"] for one in json.loads(result.stdout)] == ["unreadable"]
    assert "stays in quarantine" in result.stderr


def test_wrong_settings_are_told_in_either_form(dlr: Dlr) -> None:
    assert "DLR_WEB_THREADS" in dlr.fails("reports", code=2, web_threads="many")
    result = dlr.run("reports", "--format", "json", web_threads="many")
    assert result.exit_code == 2
    assert "DLR_WEB_THREADS" in json.loads(result.stdout)["error"]["message"]


def test_a_sample_that_cannot_be_made_is_never_taken_for_a_body(dlr: Dlr) -> None:
    result = dlr.run("sample", "--code", "nope", "--format", "json")
    assert (result.exit_code, result.stdout) == (2, "")


def test_numbers_and_their_words_agree(desk: Desk, dlr: Dlr) -> None:
    assert "0 errors, " in dlr.run("doctor").stderr
    assert "1 error, " in dlr.run("doctor", web_threads="many").stderr
    desk.post(report("m-1", 9, 1))
    assert "1 callback waits to be processed" in dlr.fails("message", "m-2")
    desk.drain()
    assert "1 message" in dlr("forget", PERSON, "--yes")
    assert "messages" not in dlr("forget", PERSON, "--yes")
