"""Requests go to an endpoint no faster than it may be asked, by all workers together; slower while Redis is away."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infobip.outbound import Rate
from infobip.outbound.endpoints import ENDPOINTS
from tests.support.ports import free_port
from tests.webhook.world import Broker
from workers.actions.resend.limiter import Limiter

NO_PATIENCE = 0.0


@pytest.fixture
def valkey() -> Iterator[Broker]:
    # A socket's path has to be short.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = Broker(Path(folder))
        yield made
        made.stop()


class Clock:
    """Time that passes only where somebody sleeps."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def passed(limiter: Limiter, times: int, rate: Rate, account: str = "main", name: str = "sms-3") -> int:
    return sum(limiter.pass_one(account, name, rate, NO_PATIENCE) for _ in range(times))


def test_two_workers_keep_one_limit_together(valkey: Broker) -> None:
    rate = Rate(6, 60)
    workers = [Limiter(valkey.url), Limiter(valkey.url)]
    assert sum(passed(one, 5, rate) for one in workers) == 6


def test_each_endpoint_and_account_has_a_limit_of_its_own(valkey: Broker) -> None:
    limiter, rate = Limiter(valkey.url), Rate(2, 60)
    assert passed(limiter, 5, rate) == 2
    assert passed(limiter, 5, rate, name="tts-advanced") == 2
    assert passed(limiter, 5, rate, account="shop") == 2


def test_without_redis_a_worker_sends_once_a_second_and_never_faster() -> None:
    clock = Clock()
    limiter = Limiter(f"redis://127.0.0.1:{free_port()}/0", clock=clock, sleep=clock.sleep)
    rate = Rate(1000)
    assert passed(limiter, 5, rate) == 1
    clock.sleep(0.9)
    assert passed(limiter, 5, rate) == 0
    clock.sleep(0.2)
    assert passed(limiter, 5, rate) == 1
    begun = clock.now
    assert limiter.pass_one("main", "sms-3", rate, 2.0)
    assert 0.9 <= clock.now - begun <= 1.1


def _speed(rate: Rate) -> float:
    return rate.requests / rate.seconds


STATED: list[Rate] = [one.rate for one in ENDPOINTS.values() if one.rate is not None]
STATED += [one.logs_rate for one in ENDPOINTS.values()]
DIFFERENT: list[Rate] = sorted(set(STATED), key=_speed)


@pytest.mark.parametrize("rate", DIFFERENT, ids=str)
def test_alone_it_is_slower_than_any_limit_that_is_stated(rate: Rate) -> None:
    clock = Clock()
    limiter = Limiter(f"redis://127.0.0.1:{free_port()}/0", clock=clock, sleep=clock.sleep)
    count = 0
    for _ in range(2 * rate.seconds + 2):
        count += limiter.pass_one("main", "sms-3", rate, NO_PATIENCE)
        clock.sleep(1.0)
    assert 0 < count <= max(1, rate.requests * 2 * 0.5 + 2)
    assert limiter.pass_one("main", "another", Rate(1000), 2.0), "a slow endpoint holds up no other"


def test_redis_that_ends_meanwhile_makes_it_slower_and_not_faster(valkey: Broker) -> None:
    clock = Clock()
    limiter, rate = Limiter(valkey.url, clock=clock, sleep=clock.sleep), Rate(3, 60)
    assert passed(limiter, 5, rate) == 3
    valkey.stop()
    begun = time.monotonic()
    assert passed(limiter, 4, rate) == 1
    assert time.monotonic() - begun < 20
