"""Nothing outlives a supervisor, however it ends, and the next one waits until all is gone."""

import os
import signal
import time

import pytest

from tests.up.runs import Bench, descendants, is_alive, until

DEAF = """
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
child = os.fork()
print('child' if child == 0 else 'parent', os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("fork", [False, True], ids=["program", "fork"])
def test_a_killed_supervisor_leaves_neither_children_nor_theirs(bench: Bench, fork: bool) -> None:
    with bench.supervise(bench.part("one", DEAF, fork=fork), bench.part("two", DEAF, fork=fork)) as run:
        for name in ("one", "two"):
            run.wait_for(name, "child")
        below = descendants(run.pid)
        assert len(below) == 5
        run.process.kill()
        until(lambda: not any(map(is_alive, below)))


def test_a_killed_keeper_is_replaced_and_knows_all(bench: Bench) -> None:
    with bench.supervise(bench.part("one", DEAF)) as run:
        child = int(run.wait_for("one", "child")[0].split()[1])
        keeper = next(pid for pid in descendants(run.pid) if pid not in {child, run.pid_of("one")})
        os.kill(keeper, signal.SIGKILL)
        run.wait_for("", "another one was started")
        below = descendants(run.pid)
        run.process.kill()
        until(lambda: not any(map(is_alive, below)))


def test_a_second_supervisor_names_the_first_and_a_killed_one_makes_room(bench: Bench) -> None:
    state = str(bench.folder)
    with bench.supervise(bench.part("one", DEAF), state=state) as first:
        child = int(first.wait_for("one", "child")[0].split()[1])
        with bench.supervise(bench.part("two"), state=state) as second:
            assert second.end() == 1
            assert any(f"as process {first.pid}" in line for line in second.lines)
        first.process.kill()
        with bench.supervise(bench.part("three"), state=state) as third:
            third.wait_for("three", "pid")
            # The lock was free only when everything of the first was dead.
            assert not is_alive(child)


def test_an_idle_supervisor_costs_nothing(bench: Bench) -> None:
    # A part that closes its output must not make the supervisor spin.
    closing = "sys.stdout.flush(); os.close(1); os.close(2); time.sleep(600)"
    with bench.supervise(bench.part("one"), bench.part("closing", closing), bench.part("forked", fork=True)) as run:
        run.wait_for("", "all ready")
        time.sleep(0.3)
        before = used(run.pid)
        time.sleep(1.0)
        assert used(run.pid) - before < 0.1


def used(pid: int) -> float:
    """Return the seconds of a processor that a process has used."""
    with open(f"/proc/{pid}/stat") as file:
        numbers = file.read().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
