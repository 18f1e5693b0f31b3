"""Make `.venv` from the lock files: `setup.py runtime|dev [UV]`. Needs nothing but the standard library.

./start and ./check run this only when the stamps in `.venv/stamps` do not fit. A stamp is written once its part is
done, so that a set-up that was interrupted is begun again.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
PYTHON = str(VENV / "bin" / "python")
LOCK, DEV_LOCK, PROJECT = "requirements.lock", "requirements-dev.lock", "pyproject.toml"

# pip's and uv's configured index counts; what would send the packages elsewhere does not.
ENVIRONMENT = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
for name in ("PIP_TARGET", "PIP_PREFIX", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"):
    ENVIRONMENT.pop(name, None)


def main() -> None:
    """Bring `.venv` up to date."""
    kind, uv = sys.argv[1], "".join(sys.argv[2:3])
    with _alone():
        try:
            set_up(kind, uv)
        except subprocess.CalledProcessError:
            if not uv:
                raise
            _say("uv could not do it; trying again with pip")
            shutil.rmtree(VENV, ignore_errors=True)
            set_up(kind, "")


def set_up(kind: str, uv: str) -> None:
    """Do what the stamps do not show as done, with uv or, where `uv` is empty, with venv and pip."""
    # What uv made holds no pip, so it is of no use where uv is gone.
    if not (_is_current(LOCK) and Path(PYTHON).exists() and (uv or (VENV / "bin" / "pip").exists())):
        _say("Setting up .venv (up to two minutes the first time)")
        _discard()
        make = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        _run(*make, str(VENV))
        STAMPS.mkdir()
        _install(uv, "--require-hashes", "-r", LOCK)
        _stamp(LOCK)
    if not (_is_current(PROJECT) and (VENV / "bin" / "dlr").exists()):
        _install(uv, "--no-deps", "--no-index", "--no-build-isolation", "-e", str(ROOT))
        _stamp(PROJECT)
    if kind == "dev" and not _is_current(DEV_LOCK):
        _say("Adding the development tools to .venv")
        _install(uv, "--require-hashes", "-r", DEV_LOCK)
        _stamp(DEV_LOCK)


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for any other set-up of this folder. The kernel drops the lock of a process that dies."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another set-up of this folder")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _discard() -> None:
    """Move the old environment away first, so that what is half deleted is never taken for a whole one."""
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(STAMPS, ignore_errors=True)
        shutil.rmtree(VENV)


def _install(uv: str, *arguments: str) -> None:
    # pip warns at length about indexes that lack a package; twice quiet leaves its errors, while uv's once is enough.
    by_uv = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", PYTHON]
    by_pip = [PYTHON, "-m", "pip", "install", "--quiet", "--quiet"]
    _run(*(by_uv if uv else by_pip), *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)  # noqa: S603


def _stamp_of(name: str) -> bytes:
    return os.fsencode(ROOT) + b"\n" + (ROOT / name).read_bytes()


def _is_current(name: str) -> bool:
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_bytes() == _stamp_of(name)


def _stamp(name: str) -> None:
    (STAMPS / name).write_bytes(_stamp_of(name))


def _say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


def _end(code: int, text: str) -> NoReturn:
    print(text, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        _end(130, "Set-up was interrupted; the next run begins it again.")
    except subprocess.CalledProcessError as error:
        _end(1, f"Set-up failed with exit code {error.returncode} of: {' '.join(error.cmd)}")
    except OSError as error:
        _end(1, f"Set-up failed: {error}")
