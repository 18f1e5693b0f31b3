"""Redis is a doorbell, the database is the truth (promise 9), and a killed part loses nothing."""

import os
import signal
from collections.abc import Iterator
from itertools import count

import pytest

from cli.supervisor.valkey import running_url
from config.broker import make_broker
from store.schema import inbox, reports
from tests.support.desk import report
from tests.support.stack import Stack, running, wait_for

_NUMBERS = count()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # A killed worker's callbacks are free when its lease ends, and nobody here waits for the half minute that it has.
    with running(tmp_path_factory.mktemp("chaos"), "tests.chaos.short_lease") as running_stack:
        yield running_stack


def post_some(stack: Stack, callbacks: int = 5) -> set[int]:
    """Post callbacks; every one must be answered 200 within a second. Return their ids."""
    ids = set()
    for _ in range(callbacks):
        status, answer, seconds = stack.post_items(*[report(f"chaos-{next(_NUMBERS)}", 9, 27) for _ in range(3)])
        assert status == 200
        assert seconds < 1.0
        ids.add(int(answer["callback_id"]))
    return ids


def await_done(stack: Stack, ids: set[int], seconds: float = 50) -> None:
    def done() -> bool:
        return ids <= {row.id for row in stack.rows(inbox) if row.state == "done"}

    wait_for(done, "all callbacks to be processed", seconds)
    per_callback = [row.callback_id for row in stack.rows(reports) if row.callback_id in ids]
    assert len(per_callback) == 3 * len(ids)


def test_a_killed_valkey_delays_and_loses_nothing(stack: Stack) -> None:
    old = stack.pids["valkey"]
    stack.kill("valkey")
    ids = post_some(stack)
    stack.await_restart("valkey", old)
    ids |= post_some(stack)
    await_done(stack, ids)


def test_a_frozen_valkey_delays_no_answer_and_loses_nothing(stack: Stack) -> None:
    valkey = stack.pids["valkey"]
    os.kill(valkey, signal.SIGSTOP)
    try:
        ids = post_some(stack)
    finally:
        os.kill(valkey, signal.SIGCONT)
    await_done(stack, ids)


def test_a_flushed_valkey_loses_nothing(stack: Stack) -> None:
    ids = post_some(stack)
    broker = make_broker(running_url(stack.state_dir), timeout=2.0)
    with broker.connection_for_write() as connection:
        connection.default_channel.client.flushall()
    ids |= post_some(stack)
    await_done(stack, ids)


def test_a_task_that_an_old_worker_does_not_know_harms_nothing(stack: Stack) -> None:
    broker = make_broker(running_url(stack.state_dir), timeout=2.0)
    broker.send_task("dlr.of_a_later_release", queue="process")
    await_done(stack, post_some(stack))


def test_a_killed_worker_loses_nothing_and_doubles_nothing(stack: Stack) -> None:
    ids = post_some(stack, 20)
    old = stack.pids["process"]
    stack.kill("process")
    ids |= post_some(stack, 5)
    stack.await_restart("process", old)
    await_done(stack, ids)


def test_a_killed_endpoint_comes_back_and_what_it_answered_is_kept(stack: Stack) -> None:
    ids = post_some(stack)
    old = stack.pids["web"]
    stack.kill("web")
    stack.await_restart("web", old)
    ids |= post_some(stack)
    await_done(stack, ids)
