"""One supervisor for each state folder."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

LOCK_FILE: Final = "up.lock"
# A killed supervisor's keeper holds the lock until the last process of it is dead, which takes milliseconds.
_CLEARING: Final = 5.0


class AlreadyRunning(Exception):
    """Another supervisor works in this state folder. `pid` is its process, or 0 where it has not said yet."""

    def __init__(self, state_dir: Path, pid: int) -> None:
        self.pid = pid
        whose = f" as process {pid}; stop it with: kill {pid}" if pid else ""
        super().__init__(f"dlr up is already running in {state_dir}{whose}")


def take_lock(state_dir: Path) -> int:
    """Return the open descriptor of the lock, held until it and all its copies are closed.

    Raises `AlreadyRunning` where a living process has it.
    """
    descriptor = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    patience = time.monotonic() + _CLEARING
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = _read(descriptor)
            if _is_alive(holder) or time.monotonic() > patience:
                os.close(descriptor)
                raise AlreadyRunning(state_dir.absolute(), holder) from None
            time.sleep(0.02)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def _read(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
