"""The wheel holds all that runs.

It is built, installed in an empty environment and used from another folder. The environment borrows the packages that
the tests run with, so this proves that our code and data are complete and found, and the locks' own tests prove that
every dependency is pinned; it does not prove that the index can be reached.
"""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.house.project import PACKAGES, ROOT


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command as a user would, with no way back to this checkout; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DLR_", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (built,) = folder.glob("dlr-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an empty environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("empty environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-qq", "--no-deps", "--no-index", wheel, cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    # One plain line: the .pth files over there, which lead to this checkout, are not followed.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_it_holds_every_file_of_every_room_and_nothing_else(wheel: Path) -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_the_command_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "codes" in run(installed / "dlr", "codes", "check", cwd=tmp_path)
    assert "in order" in run(installed / "dlr", "policy", "check", cwd=tmp_path)
    question = ["--channel", "sms", "--status", "9", "--error", "27", "--format", "json"]
    (item,) = json.loads(run(installed / "dlr", "explain", *question, cwd=tmp_path))["items"]
    assert item["cause"] == "recipient_unreachable"


def test_what_runs_there_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    names = ", ".join(PACKAGES)
    code = f"import {names}; print(*(module.__file__ for module in ({names})), sep='\\n')"
    places = run(installed / "python", "-c", code, cwd=tmp_path).splitlines()
    assert len(places) == len(PACKAGES)
    assert all(Path(place).is_relative_to(installed.parent) for place in places), places


def test_the_command_names_its_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "dlr", "--version", cwd=tmp_path).startswith("dlr, version ")
