"""A signal stops all parts in order and within their time."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.up.runs import Bench, descendants, is_alive, until

DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
# Sleeps in short pieces: a signal that comes right before a sleep begins is handled only after it.
WAIT = "while True:\n    time.sleep(0.05)"
TOLD = f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nprint('deaf', flush=True)\n{WAIT}"


@contextmanager
def when_the_terminal_closes(disposition: signal.Handlers) -> Iterator[None]:
    """Let what is started meanwhile be told of it as usual, or not: under nohup, which the tests may run under, too."""
    before = signal.signal(signal.SIGHUP, disposition)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_cleanly(bench: Bench, number: signal.Signals) -> None:
    parts = bench.part("one", TOLD), bench.part("two", TOLD, fork=True)
    with when_the_terminal_closes(signal.SIG_DFL), bench.supervise(*parts) as run:
        run.wait_for("one", "deaf")
        run.wait_for("two", "deaf")
        below = descendants(run.pid)
        assert len(below) == 3  # with the keeper
        run.process.send_signal(number)
        assert run.end() == 0
        assert not any(map(is_alive, below))
        assert run.said("one", "stopped") == ["stopped"]
        assert run.said("two", "stopped") == ["stopped"]


def test_a_rank_is_stopped_when_the_one_before_it_is_gone(bench: Bench) -> None:
    slow = "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), os._exit(0)))"
    slow += f"\nprint('deaf', flush=True)\n{WAIT}"
    names = ["broker", "worker", "web"]
    parts = [bench.part(name, slow, stop_rank=rank) for name, rank in zip(names, (2, 1, 0), strict=True)]
    with bench.supervise(*parts) as run:
        for name in names:
            run.wait_for(name, "deaf")
        run.process.terminate()
        assert run.end() == 0
        assert [one["part"] for one in run.events if one["event"] == "stopped"] == ["web", "worker", "broker"]


@pytest.mark.parametrize("fork", [False, True], ids=["program", "fork"])
def test_a_part_that_ignores_its_signal_is_killed_after_its_grace(bench: Bench, fork: bool) -> None:
    with bench.supervise(bench.part("deaf", DEAF, fork=fork, grace=0.5)) as run:
        run.wait_for("deaf", "deaf")
        pid, began = run.pid_of("deaf"), time.monotonic()
        run.process.terminate()
        assert run.end() == 0
        assert 0.5 <= time.monotonic() - began < 5
        assert run.said("deaf", "did not stop in time")
        assert not is_alive(pid)


def test_a_second_ctrl_c_hurries(bench: Bench) -> None:
    parts = [bench.part(name, DEAF, stop_rank=rank, grace=60) for rank, name in enumerate(("web", "worker"))]
    with bench.supervise(*parts, patience={"hurry": 0.2}) as run:
        run.wait_for("web", "deaf")
        run.wait_for("worker", "deaf")
        run.process.send_signal(signal.SIGINT)
        run.wait_for("", "stopping (SIGINT)")
        began = time.monotonic()
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 0
        assert time.monotonic() - began < 5


def test_a_part_that_waits_to_be_started_again_does_not_hold_up_the_stop(bench: Bench) -> None:
    with bench.supervise(bench.part("ill", "sys.exit(7)"), patience={"first": 600, "longest": 600}) as run:
        run.wait_for("ill", "starting it again")
        run.process.terminate()
        assert run.end() == 0


def test_it_can_be_stopped_while_a_part_is_not_ready_yet(bench: Bench) -> None:
    with bench.supervise(bench.part("web", ready_file=str(bench.folder / "never"))) as run:
        run.wait_for("web", "pid")
        run.process.terminate()
        assert run.end() == 0


def test_nohup_keeps_it_running_when_the_terminal_closes(bench: Bench) -> None:
    with when_the_terminal_closes(signal.SIG_IGN), bench.supervise(bench.part("one")) as run:
        run.wait_for("", "all ready")
        run.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert run.process.poll() is None
        run.process.terminate()
        until(lambda: run.process.poll() == 0)
