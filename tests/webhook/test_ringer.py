"""Rings leave quickly, seldom, and never at an answer's cost."""

import time

import pytest

from config.broker import Doorbell, make_broker
from tests.webhook.world import Broker, NoDoorbell, wait_for
from webhook.ringer import Bell, Ringer, redis_url


@pytest.fixture
def bell_key() -> str:
    return "dlr:bell"


def real(broker: Broker) -> Ringer:
    return Ringer(Doorbell(make_broker(broker.url)), Bell(broker.url))


def test_the_first_commit_rings_at_once(broker: Broker, bell_key: str) -> None:
    ringer = real(broker)
    ringer.committed()
    wait_for(lambda: broker.waiting() == 1, 2)
    assert 0 < int(broker.client.pttl(bell_key)) <= 1000
    ringer.close()


def test_while_a_ring_waits_no_other_is_sent(broker: Broker) -> None:
    ringer = real(broker)
    for _ in range(20):
        ringer.committed()
        time.sleep(0.01)
    ringer.close()
    assert broker.waiting() == 1


def test_once_a_drain_has_begun_the_next_commit_rings_again(broker: Broker, bell_key: str) -> None:
    ringer = real(broker)
    ringer.committed()
    wait_for(lambda: broker.waiting() == 1)
    # As a worker says it: the key has to be the same on both sides.
    Doorbell(make_broker(broker.url)).answered()
    assert broker.client.exists(bell_key) == 0
    ringer.committed()
    wait_for(lambda: broker.waiting() == 2)
    ringer.close()


def test_commits_of_one_window_share_a_ring() -> None:
    doorbell = NoDoorbell()
    ringer = Ringer(doorbell, window=0.2)
    started = time.monotonic()
    while time.monotonic() - started < 0.5:
        ringer.committed()
        time.sleep(0.001)
    assert 2 <= doorbell.rings <= 4
    ringer.close()


def test_the_last_commit_of_a_burst_is_rung_for() -> None:
    doorbell = NoDoorbell()
    ringer = Ringer(doorbell, window=0.1)
    ringer.committed()
    wait_for(lambda: doorbell.rings == 1)
    ringer.committed()
    wait_for(lambda: doorbell.rings == 2)
    ringer.close()


@pytest.mark.parametrize("how", ["frozen", "stopped", "never there"])
def test_a_commit_never_waits_for_the_broker(broker: Broker, how: str) -> None:
    ringer = (
        real(broker)
        if how != "never there"
        else Ringer(Doorbell(make_broker("redis://127.0.0.1:1")), Bell("redis://127.0.0.1:1"))
    )
    if how == "frozen":
        broker.freeze()
    elif how == "stopped":
        broker.stop()
    for _ in range(100):
        started = time.perf_counter()
        ringer.committed()
        assert time.perf_counter() - started < 0.05
    started = time.perf_counter()
    ringer.close()
    assert time.perf_counter() - started < 2


def test_it_rings_again_soon_after_the_broker_is_back(broker: Broker) -> None:
    ringer = real(broker)
    broker.freeze()
    ringer.committed()
    time.sleep(1)
    broker.thaw()
    broker.client.delete("dlr:bell")

    def rung() -> bool:
        ringer.committed()
        return broker.waiting() >= 1

    wait_for(rung, 5)
    ringer.close()


def test_celerys_form_of_a_sockets_url_is_translated() -> None:
    assert redis_url("redis+socket:///run/v.sock?virtual_host=2") == "unix:///run/v.sock?db=2"
    assert redis_url("redis://:pw@host:6379/0") == "redis://:pw@host:6379/0"
