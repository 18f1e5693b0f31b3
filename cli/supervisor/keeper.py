"""A small program that kills what its supervisor left behind. Run as a file: it imports nothing of ours.

Standard input carries one line a process group: `+PID` when it was started, `-PID` when it is gone. The end of the
input means that the supervisor is gone, whatever ended it: every group still listed is killed. Linux alone could tell
direct children by itself (PR_SET_PDEATHSIG); their own children, and other systems, need this.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Keep the list until the input ends, then kill what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        change = groups.add if line.startswith(b"+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
