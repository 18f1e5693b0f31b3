"""What ends unexpectedly is started again, less and less often while it keeps ending."""

import os
import signal

import pytest

from cli.supervisor.part import Patience
from tests.up.runs import Bench, is_alive, until


def test_pauses_double_up_to_the_longest(bench: Bench) -> None:
    part = bench.part("worker", "sys.exit(7)")
    # It counts as ready at once: only a part that was never ready can end the start.
    with bench.supervise(part, patience={"first": 0.05, "longest": 0.2}) as run:
        said = run.wait_for("worker", "starting it again", times=5)
        assert [event.rpartition(" in ")[2] for event in said[:5]] == ["0.05 s", "0.1 s", "0.2 s", "0.2 s", "0.2 s"]
        assert "ended with exit code 7" in said[0]


def test_the_shipped_pauses_go_from_one_second_to_thirty() -> None:
    assert [Patience().pause(failures) for failures in (1, 2, 3, 4, 5, 6, 7, 1000)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_failures_are_forgotten_after_a_stable_time(bench: Bench) -> None:
    part = bench.part("worker", "time.sleep(0.4); sys.exit(7)")
    with bench.supervise(part, patience={"first": 0.05, "stable": 0.3}) as run:
        said = run.wait_for("worker", "starting it again", times=3)
        assert {event.rpartition(" in ")[2] for event in said} == {"0.05 s"}


@pytest.mark.parametrize("fork", [False, True], ids=["program", "fork"])
def test_a_killed_part_comes_back_and_its_own_children_are_gone(bench: Bench, fork: bool) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    code = f"child = subprocess.Popen([sys.executable, '-c', {deaf!r}])"
    code += "\nprint('child', child.pid, flush=True)\nchild.wait()"
    with bench.supervise(bench.part("worker", code, fork=fork), patience={"first": 0.05}) as run:
        child = int(run.wait_for("worker", "child ")[0].split()[1])
        os.kill(run.pid_of("worker"), signal.SIGKILL)
        run.wait_for("worker", "was ended by SIGKILL")
        until(lambda: not is_alive(child))
        assert len(run.wait_for("worker", "child ", times=2)) == 2


def test_other_parts_are_left_alone(bench: Bench) -> None:
    with bench.supervise(bench.part("ill", "sys.exit(7)"), bench.part("well"), patience={"first": 0.05}) as run:
        run.wait_for("ill", "starting it again", times=4)
        assert len(run.said("well", "pid")) == 1
