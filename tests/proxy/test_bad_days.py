"""Infobip hangs, the database is away, a process dies: nothing is sent twice, and no callback waits."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from store.schema import incident_deltas
from store.sends import INTENT, UNKNOWN, lost_intents
from tests.proxy.upstream import Upstream, hangs
from tests.proxy.world import AUTHORIZATION, Proxy, World, away
from tests.support.infobip import sms
from tests.webhook.world import TOKEN, Endpoint, body_of, wait_for

StartProxy = Callable[..., Proxy]


def test_no_answer_is_504_and_the_outcome_unknown(plain: World, upstream: Upstream) -> None:
    upstream.reply = hangs
    answer = plain.send(sms(message_id="m-1"))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (504, "outcome_unknown")
    assert plain.registered("m-1").state == UNKNOWN
    assert len(upstream.seen) == 1


def test_a_hanging_infobip_delays_no_callback(plain: World, upstream: Upstream, proxy: StartProxy) -> None:
    upstream.reply = hangs
    running = proxy(plain, DLR_PROXY_THREADS="4", DLR_PROXY_TIMEOUT="20s")
    (plain.folder / "state").mkdir(exist_ok=True)
    endpoint = Endpoint(plain.folder / "state", DLR_DATABASE_URL=plain.environ["DLR_DATABASE_URL"])

    def send(number: int) -> None:
        with contextlib.suppress(requests.ConnectionError):
            requests.post(f"{running.base}/sms/3/messages", json=sms(message_id=f"m-{number}"), headers=AUTHORIZATION)

    senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for sender in senders:
        sender.start()
    try:
        wait_for(lambda: len(upstream.seen) == 4, 15)
        for _ in range(5):
            assert endpoint.post(body_of(), f"/webhook/sms/{TOKEN}", timeout=5).status_code == 200
        assert len(upstream.seen) == 4, "every thread of the pass-through still waits"
        assert plain.states()[:4] == [INTENT] * 4
    finally:
        endpoint.stop()
        upstream.released.set()
        for sender in senders:
            sender.join(30)


def test_a_process_that_is_killed_before_the_answer_leaves_an_intent_that_becomes_unknown(
    plain: World, upstream: Upstream, proxy: StartProxy
) -> None:
    upstream.reply = hangs
    running = proxy(plain, DLR_PROXY_TIMEOUT="60s")

    def send() -> None:
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{running.base}/sms/3/messages", json=sms(message_id="m-1"), headers=AUTHORIZATION)

    sender = threading.Thread(target=send)
    sender.start()
    wait_for(lambda: len(upstream.seen) == 1, 15)
    kill_all(running)
    sender.join(30)
    assert plain.registered("m-1").state == INTENT
    with plain.database.transaction() as connection:
        assert lost_intents(connection, datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert plain.registered("m-1").state == UNKNOWN


def kill_all(running: Proxy) -> None:
    """Kill gunicorn and its workers, as a machine that goes down does."""
    children = f"/proc/{running.popen.pid}/task/{running.popen.pid}/children"
    with open(children) as file:
        workers = [int(pid) for pid in file.read().split()]
    for pid in (running.popen.pid, *workers):
        os.kill(pid, signal.SIGKILL)
    running.popen.wait(10)


def test_while_the_database_is_away_sends_pass_and_are_counted_and_told_once_it_is_back(
    plain: World, upstream: Upstream
) -> None:
    app = plain.app()
    assert plain.send(sms(message_id="m-0"), app=app).status_code == 200
    with away(plain):
        for number in (1, 2):
            assert plain.send(sms(message_id=f"m-{number}"), app=app).status_code == 200
    wait_for(lambda: plain.send(app=app).status_code == 200 and bool(plain.rows(incident_deltas)), 20)
    assert len(upstream.seen) >= 4
    (delta,) = plain.rows(incident_deltas)
    assert delta.rule == "sends_unregistered"
    assert delta.count >= 2


def test_while_the_database_is_away_sends_get_503_where_they_must_not_pass_unchecked(
    plain: World, upstream: Upstream
) -> None:
    app = plain.app(DLR_PROXY_FAIL_CLOSED="true")
    assert plain.send(sms(message_id="m-0"), app=app).status_code == 200
    with away(plain):
        answer = plain.send(sms(message_id="m-1"), app=app)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "register_away")
        other = app.test_client().get(f"/proxy/{plain.key}/account/1/balance", headers=AUTHORIZATION)
        assert other.status_code == 200, "what sends nothing needs no check"
    assert len(upstream.seen) == 2
