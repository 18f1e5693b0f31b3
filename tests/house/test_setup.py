"""./start and ./check set themselves up, also twice at once and after a kill, or say in one line what is missing.

The scripts are the real ones, in a folder with a blank in its name, with a PATH that holds only what a test puts there.
Set-up itself is tried with a small lock and a small package, so that it needs no index.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.house.project import ROOT

SCRIPTS = ["start", "check", "scripts/setup.sh", "scripts/postgres.sh", "scripts/lock"]
TOOLS = ["sh", "cat", "cmp", "dirname", "id", "sleep"]
BACKEND = """
import zipfile
INFO = "dlr-0.1.0.dist-info/"
def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(folder + "/dlr-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "import sys\\ndef main(): print('handed over', *sys.argv[1:])\\n")
        wheel.writestr(INFO + "METADATA", "Metadata-Version: 2.1\\nName: dlr\\nVersion: 0.1.0\\n")
        wheel.writestr(INFO + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(INFO + "entry_points.txt", "[console_scripts]\\ndlr = tiny:main\\n")
        wheel.writestr(INFO + "RECORD", "")
    return "dlr-0.1.0-py3-none-any.whl"
"""
TINY = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "dlr"
version = "0.1.0"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder for PATH with what every POSIX system has, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        place = shutil.which(tool)
        assert place is not None, tool
        (folder / tool).symlink_to(place)
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts in a fresh folder, with a package and a lock of one package that need no index."""
    folder = tmp_path / "fresh clone"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copy(ROOT / "start", folder)
    shutil.copy(ROOT / "check", folder)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(TINY)
    wheel = tmp_path / "wheels" / "dependency-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr("dependency.py", "")
        content.writestr("dependency-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: dependency\nVersion: 1.0\n")
        content.writestr(
            "dependency-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        content.writestr("dependency-1.0.dist-info/RECORD", "")
    pin = f"dependency==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    (folder / "requirements.lock").write_text(pin)
    (folder / "requirements-dev.lock").write_text(pin)
    return folder


def begin(clone: Path, path: Path, *command: str) -> subprocess.Popen[str]:
    """Start one of the scripts from another folder."""
    environment = {
        "PATH": str(path),
        "HOME": str(path.parent),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(path.parent / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    return subprocess.Popen(
        ["/bin/sh", str(clone / command[0]), *command[1:]],
        cwd=path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(clone: Path, path: Path, *command: str) -> tuple[int, str, str]:
    """Run one of the scripts to its end; return its exit code, what it printed and what it complained of."""
    process = begin(clone, path, *command)
    printed, complaints = process.communicate(timeout=120)
    return process.returncode, printed, complaints


def put_python(path: Path, lacks: str = "", version: str = "") -> None:
    """Put the Python of the tests on PATH as python3, without a module or with another version."""
    prelude = path.parent / f"python{lacks}{version}"
    prelude.mkdir()
    if lacks:
        (prelude / f"{lacks}.py").write_text(f"raise ImportError('{lacks} is packed apart')\n")
    if version:
        (prelude / "sitecustomize.py").write_text(f"import sys\nsys.version_info = {version}\n")
    python = path / "python3"
    base = getattr(sys, "_base_executable", sys.executable)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{prelude}" exec "{base}" "$@"\n')
    python.chmod(0o755)


@pytest.mark.parametrize("shell", [shell for shell in ("sh", "dash", "bash", "busybox") if shutil.which(shell)])
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_are_posix_shell(shell: str, script: str) -> None:
    command = {"busybox": ["busybox", "sh"], "bash": ["bash", "--posix"]}.get(shell, [shell])
    assert (ROOT / script).read_text().startswith(("#!/bin/sh\n", "# shellcheck shell=sh\n"))
    subprocess.run([*command, "-n", ROOT / script], check=True)


@pytest.mark.parametrize("script", ["start", "check"])
@pytest.mark.parametrize(
    "python",
    [None, {"lacks": "ensurepip"}, {"lacks": "venv"}, {"version": "(3, 10, 13)"}],
    ids=["no python", "python without ensurepip", "python without venv", "old python"],
)
def test_without_a_usable_python_they_say_in_one_line_what_to_install(
    script: str, python: dict[str, str] | None, clone: Path, path: Path
) -> None:
    if python is not None:
        put_python(path, **python)
    code, printed, complaints = run(clone, path, script)
    assert (code, printed) == (1, "")
    assert complaints.startswith("dlr needs Python 3.11 or newer with venv, or uv. Install it with: ")
    assert complaints.count("\n") == 1
    assert not (clone / ".venv").exists()


def test_after_a_kill_two_at_once_set_up_one_environment_and_then_need_no_python(clone: Path, path: Path) -> None:
    put_python(path)
    killed = begin(clone, path, "start")
    until = time.monotonic() + 60
    while not (clone / ".venv" / "pyvenv.cfg").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert (clone / ".venv").exists()
    assert not (clone / ".venv" / "stamps").exists()

    both = [begin(clone, path, "start", number) for number in ("one", "two")]
    ended = [(process.communicate(timeout=120), process.returncode) for process in both]
    assert [code for _, code in ended] == [0, 0], ended
    assert [printed for (printed, _), _ in ended] == ["handed over up one\n", "handed over up two\n"]
    assert sum("Setting up" in complaints for (_, complaints), _ in ended) == 1

    (path / "python3").unlink()
    assert run(clone, path, "start", "again") == (0, "handed over up again\n", "")
    moved = clone.rename(clone.with_name("moved"))
    assert "needs Python" in run(moved, path, "start")[2], "an environment cannot be moved and has to be made anew"


def test_a_package_with_another_hash_is_refused_and_a_corrected_lock_makes_the_environment_anew(
    clone: Path, path: Path
) -> None:
    put_python(path)
    lock = clone / "requirements.lock"
    right = lock.read_text()
    lock.write_text(f"dependency==1.0 --hash=sha256:{'0' * 64}\n")
    code, printed, complaints = run(clone, path, "start")
    assert (code, printed) == (1, "")
    assert "Set-up failed" in complaints.splitlines()[-1]

    lock.write_text(right)
    (clone / ".venv" / "leftover").touch()
    assert run(clone, path, "start")[:2] == (0, "handed over up\n")
    assert not (clone / ".venv" / "leftover").exists()
