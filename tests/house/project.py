"""What the tests of the house rules look at."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PYPROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES: Final[list[str]] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def modules() -> Iterator[Path]:
    """Yield every Python file of the packages."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def tree(module: Path) -> ast.Module:
    """Return the parsed module."""
    return ast.parse(module.read_text("utf-8"), str(module))


def name_of(module: Path) -> str:
    """Return the module's path as a person writes it."""
    return module.relative_to(ROOT).as_posix()
