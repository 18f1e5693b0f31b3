"""The lock files hold versions and hashes, of everything, and nothing else."""

import re
from itertools import pairwise

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.project import PYPROJECT, ROOT

RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
PIN = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.+]*( ; [a-z_'\"<>=!0-9.() A-Z]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def pins(lock: str) -> dict[str, str]:
    """Return the versions of a lock by name."""
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    return dict(line.split(" ")[0].split("==") for line in lines if "==" in line.split(" ")[0])


@pytest.mark.parametrize("lock", [RUNTIME, DEV])
def test_it_holds_only_versions_and_hashes(lock: str) -> None:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    assert [line for line in lines if not (PIN.fullmatch(line) or HASH.fullmatch(line))] == []
    # A pin is followed by a hash, so no package comes in without one.
    assert all(HASH.fullmatch(after) for line, after in pairwise(lines) if PIN.fullmatch(line))


@pytest.mark.parametrize("lock", [RUNTIME, DEV])
@pytest.mark.parametrize("word", ["http", "://", "index", "file:", "@"])
def test_it_names_no_address(lock: str, word: str) -> None:
    assert word not in (ROOT / lock).read_text("utf-8").lower()


def test_every_declared_dependency_is_locked_at_a_version_that_it_allows() -> None:
    groups = PYPROJECT["dependency-groups"]
    for lock, declared in (
        (RUNTIME, PYPROJECT["project"]["dependencies"] + groups["build"]),
        (DEV, PYPROJECT["project"]["dependencies"] + groups["build"] + groups["dev"]),
    ):
        locked = pins(lock)
        for text in declared:
            wanted = Requirement(text)
            assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), f"{text} in {lock}"


def test_development_runs_what_the_service_runs() -> None:
    assert pins(RUNTIME).items() <= pins(DEV).items()


def test_the_package_is_built_by_the_locked_tool() -> None:
    assert PYPROJECT["build-system"]["requires"] == PYPROJECT["dependency-groups"]["build"]
