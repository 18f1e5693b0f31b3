"""Settings are read once, in one place."""

import ast
from pathlib import Path

import pytest

from tests.house.project import modules, name_of, tree

READER = "config/settings.py"
WAYS = {"environ", "environb", "getenv", "getenvb"}


def reads_of_the_environment(module: ast.Module) -> list[int]:
    """Return the lines that reach the process's environment."""
    return [
        node.lineno
        for node in ast.walk(module)
        if (isinstance(node, ast.Attribute) and node.attr in WAYS and getattr(node.value, "id", "") == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and WAYS & {alias.name for alias in node.names})
    ]


def test_only_the_settings_read_the_environment() -> None:
    readers = {name_of(module) for module in modules() if reads_of_the_environment(tree(module))}
    assert readers == {READER}


@pytest.mark.parametrize("code", ["import os\nos.environ['A']", "import os\nos.getenv('A')", "from os import environ"])
def test_each_way_to_read_it_is_seen(code: str, tmp_path: Path) -> None:
    assert reads_of_the_environment(ast.parse(code))
