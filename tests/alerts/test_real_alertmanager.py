"""What a real Alertmanager makes of what we post. Skipped where its binary is not installed."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from store import by_hand
from store.schema import outbox
from tests.alerts.conftest import MakeWorld
from tests.alerts.world import World, base_url, posted
from tests.relay.world import Target
from tests.support.ports import free_port
from tests.support.stack import wait_for

# What it is posted does not depend on the kind of database, and much of the time is waiting.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
_NAMES = ("prometheus-alertmanager", "alertmanager")
_TIMEOUT = timedelta(seconds=30)
_LAG = timedelta(seconds=18)
"""Our clock is so far behind Alertmanager's, so that what we say ends in 30 s ends there in 12 s: a third of the
time-out is 10 s."""
_CONFIG = """
global:
  resolve_timeout: 30s
route:
  receiver: people
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: people
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


@dataclass(frozen=True)
class Alertmanager:
    """A running one, and the people whom it tells."""

    url: str
    people: Target

    def alerts(self) -> list[Any]:
        """Return the alerts that go on, silenced ones too."""
        answer = requests.get(f"{self.url}/api/v2/alerts", timeout=10)
        answer.raise_for_status()
        found: list[Any] = answer.json()
        return found

    def silence(self, name: str) -> str:
        """Silence an alert by its name; return the id of the silence."""
        now = datetime.now(UTC)
        body = {
            "matchers": [{"name": "alertname", "value": name, "isRegex": False}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "eve",
            "comment": "known",
        }
        answer = requests.post(f"{self.url}/api/v2/silences", json=body, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["silenceID"])

    def told(self) -> list[tuple[str, Any]]:
        """Return what it told people: (status, alert)."""
        return [(alert["status"], alert) for body in posted(self.people) for alert in body["alerts"]]


@pytest.fixture
def alertmanager(target: Target, tmp_path: Path) -> Iterator[Alertmanager]:
    binary = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if binary is None:
        pytest.skip("NO ALERTMANAGER: nothing shows what a real one makes of our alerts; see CONTRIBUTING.md, Set-up")
    config = tmp_path / "alertmanager.yml"
    config.write_text(_CONFIG.format(url=f"{base_url(target)}/told"))
    listen = f"127.0.0.1:{free_port()}"
    command = [binary, f"--config.file={config}", f"--storage.path={tmp_path / 'alertmanager'}"]
    command += [f"--web.listen-address={listen}", "--cluster.listen-address="]
    with (tmp_path / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})
    try:
        wait_for(lambda: _is_ready(listen), "Alertmanager to be ready", 30)
        yield Alertmanager(f"http://{listen}", target)
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(listen: str) -> bool:
    try:
        return requests.get(f"http://{listen}/-/ready", timeout=2).ok
    except requests.RequestException:
        return False


@pytest.fixture
def world(make_world: MakeWorld, alertmanager: Alertmanager) -> World:
    return make_world(f'[am]\nalertmanager = "{alertmanager.url}"\nresolve_timeout = "{_TIMEOUT.seconds}s"\n')


def work_until(world: World, condition: Callable[[], Any], what: str, lag: timedelta = _LAG) -> Any:
    """Let workers do what is due, by a clock that runs as the one on the wall does, until something has happened."""

    def turn() -> Any:
        world.clock.now = datetime.now(UTC) - lag
        world.work()
        return condition()

    return wait_for(turn, what, 40)


def ends_at(alert: Any) -> datetime:
    return datetime.fromisoformat(alert["endsAt"])


def test_many_sightings_are_one_alert_that_lasts_as_long_as_the_incident(
    world: World, alertmanager: Alertmanager
) -> None:
    world.see(facts={"sender": "Shop"})
    [first] = work_until(world, alertmanager.alerts, "the alert")
    assert first["labels"] == {
        "alertname": "account-funds",
        "service": "dlr",
        "incident": f"dlr-{world.incident().id}",
        "account": "main",
        "cause": "account_funds",
        "severity": "critical",
        "dlr_sender": "Shop",
    }
    assert first["annotations"]["next_step"] == "Top up the account."

    # Nothing new is seen, and it would be over by now if it were not posted again.
    work_until(world, lambda: datetime.now(UTC) > ends_at(first) + timedelta(seconds=1), "its end, were it forgotten")
    world.see(count=9, facts={"sender": "Shop"})
    work_until(world, lambda: alertmanager.alerts()[0]["annotations"]["count"] == "10", "the count")
    [again] = alertmanager.alerts()
    assert (again["fingerprint"], again["labels"]) == (first["fingerprint"], first["labels"])
    assert again["startsAt"] == first["startsAt"]
    assert ends_at(again) > ends_at(first)
    assert [status for status, _ in alertmanager.told()] == ["firing"]

    number = world.incident().id
    world.database.repeat(lambda connection: by_hand.resolve(connection, number, "eve", world.clock()))
    work_until(world, lambda: len(alertmanager.told()) > 1, "word of its end")
    assert alertmanager.alerts() == []
    status, over = alertmanager.told()[-1]
    assert (status, over["labels"]) == ("resolved", first["labels"])
    assert abs(ends_at(over) - world.incident().resolved_at) < timedelta(milliseconds=2)
    assert [status for status, _ in alertmanager.told()] == ["firing", "resolved"]


def test_what_nobody_posts_again_is_over_there(world: World, alertmanager: Alertmanager) -> None:
    world.see()
    work_until(world, alertmanager.alerts, "the alert", _TIMEOUT - timedelta(seconds=3))
    wait_for(lambda: not alertmanager.alerts(), "the end of what is not posted again", 30)


def test_a_silence_there_changes_nothing_here(world: World, alertmanager: Alertmanager) -> None:
    silence = alertmanager.silence("account-funds")
    world.see()
    [alert] = work_until(world, alertmanager.alerts, "the alert")
    assert (alert["status"]["state"], alert["status"]["silencedBy"]) == ("suppressed", [silence])
    work_until(world, lambda: datetime.now(UTC) > ends_at(alert) + timedelta(seconds=1), "its end, were it forgotten")
    [alert] = alertmanager.alerts()
    assert alert["status"]["state"] == "suppressed"
    assert alertmanager.told() == []
    assert world.incident().state == "open"
    assert {row.last_error for row in world.rows(outbox)} == {""}
    requests.delete(f"{alertmanager.url}/api/v2/silence/{silence}", timeout=10).raise_for_status()
    work_until(world, alertmanager.told, "word of what outlasts the silence")
    assert [status for status, _ in alertmanager.told()] == ["firing"]
