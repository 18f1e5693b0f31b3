"""Codes live in the tables and the policy: no line of the packages compares a code's number."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import codes
import policy

ROOMS = [Path(room.__file__).parent for room in (codes, policy) if room.__file__]
FILES = [path for room in ROOMS for path in sorted(room.glob("*.py"))]

# None of these is a code: sizes and counts that a comparison needs, each with the file it stands in.
ALLOWED = {
    ("table.py", 20): "the least length of a sentence of advice",
    ("suppressing.py", 1): "failures that lead to a suppression, of which one is the first",
    ("suppress_plan.py", 1): "as above",
    ("suppress_schema.py", 1): "as above",
    ("ref.py", 18): "the most digits that an id can have",
    ("schedule.py", 1): "the first attempt",
    ("words.py", 1): "a threshold of one needs no words",
    ("words.py", 11): "eleventh, twelfth and thirteenth are no -first, -second and -third",
    ("words.py", 12): "as above",
    ("words.py", 13): "as above",
    ("durations.py", 0): "no remainder",
    ("durations.py", 1): "singular or plural",
    ("load.py", 1): "the version of the policy language",
    ("opening.py", 0): "whether any went badly",
}


def compared_numbers(source: str) -> Iterator[int]:
    """Yield the whole numbers that `source` compares with something, in any of the ways there are."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            sides = [node.value]
        else:
            continue
        for side in sides:
            for part in ast.walk(side) if isinstance(side, ast.Tuple | ast.List | ast.Set | ast.UnaryOp) else [side]:
                if isinstance(part, ast.Constant) and type(part.value) is int:
                    yield part.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_code_is_compared_by_its_number(path: Path) -> None:
    found = {number for number in compared_numbers(path.read_text()) if (path.name, number) not in ALLOWED}
    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        "if error.id == 27: pass",
        "if 27 != code: pass",
        "if code in (27, 31): pass",
        "if code in {27}: pass",
        "if 20 < code < 27: pass",
        "match code:\n    case 27 | 31: pass",
    ],
)
def test_the_test_itself_finds_a_compared_number(source: str) -> None:
    assert 27 in set(compared_numbers(source))


def test_nothing_is_allowed_that_is_not_there() -> None:
    found = {(path.name, number) for path in FILES for number in compared_numbers(path.read_text())}
    assert ALLOWED.keys() - found == set()
