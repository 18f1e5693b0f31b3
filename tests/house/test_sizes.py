"""Modules of about 250 lines and functions of about 40; past 300 and 60 it is too much."""

import ast

from tests.house.project import ROOT, modules, name_of, tree
from tests.support.longest import LONGEST

LONGEST_MODULE = 300
LONGEST_FUNCTION = 60
# A migration is one list of tables and is never changed again.
MIGRATIONS = "store/migrations/versions/"


def test_no_module_is_too_long() -> None:
    lengths = {name_of(module): len(module.read_text("utf-8").splitlines()) for module in modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{name_of(module)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for module in modules()
        if not name_of(module).startswith(MIGRATIONS)
        for node in ast.walk(tree(module))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None
        if node.end_lineno - node.lineno >= LONGEST_FUNCTION
    }
    assert too_long == {}


def test_the_files_that_the_tests_begin_with_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).exists()] == []
