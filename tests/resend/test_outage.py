"""A carrier is down for an hour: that costs a handful of messages, and what waited leaves in steps."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from store.database import Database
from store.schema import incidents, messages, pause_passes, pause_windows
from store.vault import Vault
from tests.resend.world import Unlimited, World, world
from tests.support.infobip import AT_ONCE, call, send, sms

DOWN, OTHER = "44770090", "44771190"
MANY, FEW = 200, 20
_NETWORKS = {"networks": {DOWN: "23410", OTHER: "23430"}, "limits": False}
CALM: dict[str, Any] = {**AT_ONCE, **_NETWORKS}
OUTAGE: dict[str, Any] = {
    **CALM,
    "rule": [
        {"name": "down", "match": {"network": "23410"}, "reports": [{"after": 0, "error": "EC_SYSTEM_FAILURE"}]},
        {
            "name": "a passing fault elsewhere",
            "match": {"network": "23430", "attempt": 1},
            "reports": [{"after": 0, "error": "EC_SYSTEM_FAILURE"}],
        },
    ],
}
_UNBOUNDED: dict[str, Any] = {"resends_per_day": 10**6, "resends_share": 10.0, "money_per_day": 10.0**6}


@pytest.fixture
def made(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    with world(database, vault, tmp_path, OUTAGE, **_UNBOUNDED) as found:
        found.limiter = Unlimited("memory://")
        yield found


@dataclass
class Scene:
    """Minutes that pass, and how many left in each, by network."""

    world: World
    left: dict[str, list[int]] = field(default_factory=lambda: {DOWN: [], OTHER: []})
    seen: int = 0

    def send(self, prefix: str, count: int) -> None:
        """Send as an application does that told the register."""
        people = [f"{prefix}{number:04}" for number in range(count)]
        for to in people:
            self.world.register(f"m-{to}", to=to)
        body = sms()
        body["messages"][0]["destinations"] = [{"to": to, "messageId": f"m-{to}"} for to in people]
        send(self.world.infobip, body)

    def minute(self) -> None:
        """Let a minute pass: reports come in, the house-keeping looks, what is due leaves."""
        made = self.world
        made.clock.pass_(minutes=1)
        made.infobip.settle()
        answer = call(made.infobip, "GET", "/sms/3/reports?limit=1000")
        found = answer.json()["results"]
        if found:
            made.hear(*found)
        made.watch()
        made.run()
        new = made.infobip.sends()[self.seen :]
        self.seen += len(new)
        counts = Counter(entry["recipient"][: len(DOWN)] for entry in new)
        for prefix, left in self.left.items():
            left.append(counts[prefix])


# What locks are for is in test_pauses.py; here a second database would only take a second minute.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_outage_costs_a_handful_and_all_that_waited_leaves_in_steps(made: World) -> None:
    scene = Scene(made)
    scene.send(DOWN, MANY)
    scene.send(OTHER, FEW)
    scene.seen = len(made.infobip.sends())

    for _ in range(65):
        scene.minute()

    [paused] = made.pauses()
    assert (str(paused.scope), paused.who, paused.why) == (
        "network 23410",
        "surge",
        f"{MANY} of {MANY} messages failed within 10 minutes",
    )
    assert 1 <= sum(scene.left[DOWN]) <= 4
    assert sum(scene.left[OTHER]) == FEW, "another network is not held"
    [incident] = told(made)
    assert (incident.state, incident.severity) == ("open", "warning")
    waiting = [row for row in made.rows() if row.state == "planned" and "network 23410" in row.note]
    assert len(waiting) > MANY - 10
    assert all(row.due_at >= paused.until for row in waiting)

    made.infobip.load(CALM)
    probes = sum(scene.left[DOWN])
    scene.left[DOWN].clear()
    for _ in range(120):
        scene.minute()

    steps = [count for count in scene.left[DOWN] if count]
    assert steps[0] == 1
    assert all(count <= 2**number for number, count in enumerate(steps))
    assert steps[:7] == [1, 2, 4, 8, 16, 32, 64]
    assert sum(steps) >= MANY
    states = Counter(row.state for row in made.desk.rows(messages))
    assert states == {"delivered": MANY + FEW}
    assert max(Counter(entry["messageId"] for entry in made.infobip.sends()).values()) == 1
    assert probes <= 4
    # Nobody waits any more: the pause is taken away with all that belongs to it, and its incident is over.
    assert made.pauses() == []
    assert made.desk.rows(pause_passes) == []
    assert [row for row in made.desk.rows(pause_windows) if row.value == "23410"] == []
    assert [row.state for row in told(made)] == ["resolved"]


def told(made: World) -> list[Any]:
    """Return the incidents about pauses."""
    return [row for row in made.desk.rows(incidents) if row.rule == "resends-paused"]
