"""Whom nothing more is sent to, from the report to the refused send, and what frees them: through real processes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from infobip.simulator import Simulator
from store import api_keys
from store.schema import decisions, guard_holds, inbox, incidents, suppressions
from tests.alerts.world import json_url, posted
from tests.relay.world import Target, serving
from tests.suppress.people import bounce
from tests.support import postgres
from tests.support.desk import report
from tests.support.dlr import Dlr
from tests.support.infobip import AT_ONCE, KEY, infobip, sms
from tests.support.stack import Stack, running, wait_for

GONE = "447700900404"
WAVERING = "447700900777"
GONE_FOR_GOOD = {
    **AT_ONCE,
    "name": "one number is gone",
    "rule": [
        {
            "name": "nobody has it",
            "match": {"recipient": GONE},
            "reports": [{"after": 0, "error": "EC_UNKNOWN_SUBSCRIBER"}],
        }
    ],
}


@dataclass
class Walk:
    """One installation between an application, a simulated Infobip, and people who hear of incidents."""

    stack: Stack
    infobip: Simulator
    dlr: Dlr
    target: Target
    key: str

    def send(self, to: str, message_id: str, sender: str = "Shop") -> int:
        """Send through the pass-through as an application does; return the status that the message is answered with."""
        url = f"http://127.0.0.1:{self.stack.proxy_port}/proxy/{self.key}/sms/3/messages"
        body = sms(to, message_id=message_id, sender=sender)
        answer = requests.post(url, json=body, headers={"Authorization": f"App {KEY}"}, timeout=20)
        assert answer.status_code == 200, answer.text
        [message] = answer.json()["messages"]
        status: int = message["status"]["id"]
        return status

    def check(self, *entries: dict[str, str]) -> list[dict[str, Any]]:
        """Ask the list over the API."""
        url = f"http://127.0.0.1:{self.stack.proxy_port}/api/v1/suppressions/check"
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = requests.post(url, json={"entries": entries}, headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    def done(self) -> None:
        """Wait until every callback that came has been decided on."""
        wait_for(lambda: {row.state for row in self.stack.rows(inbox)} == {"done"}, "an empty inbox", 40)

    def of_cause(self, cause: str) -> list[Any]:
        return [row for row in self.stack.rows(suppressions) if row.cause == cause]

    def heard(self, title: str) -> list[Any]:
        """Return the notifications whose title has these words."""
        return [body for body in posted(self.target) if title in body["title"]]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def walk(
    request: pytest.FixtureRequest, target: Target, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("suppress")
    policy, routes = folder / "policy.toml", folder / "routes.toml"
    policy.write_text('version = 1\n[modes]\nsuppress = "act"\n', "utf-8")
    routes.write_text(f'[team]\nurl = "{json_url(target)}"\n', "utf-8")
    target.seen.clear()
    with infobip(GONE_FOR_GOOD) as simulator:
        settings = {
            "DLR_INFOBIP_URL": simulator.url,
            "DLR_INFOBIP_KEY": KEY,
            "DLR_POLICY": str(policy),
            "DLR_ALERT_ROUTES": str(routes),
            "DLR_SWEEP": "1s",
        }
        if request.param == "postgresql":
            settings["DLR_DATABASE_URL"] = postgres.new_database(request.getfixturevalue("postgres_url"))
        with running(folder, **settings) as stack:
            scopes = [api_keys.PROXY, api_keys.SUPPRESSIONS_READ]
            with stack.database.transaction() as connection:
                key = api_keys.make(connection, "main", "shop", scopes, datetime.now(UTC))
            simulator.world.targets.notify_url = f"http://127.0.0.1:{stack.port}/webhook/{{channel}}/{stack.token}"
            dlr = Dlr({**settings, "DLR_STATE_DIR": str(stack.state_dir)})
            yield Walk(stack, simulator, dlr, target, key)


def test_who_can_never_be_reached_is_refused_the_next_time_and_every_step_is_explained(walk: Walk) -> None:
    assert walk.send(GONE, "order-1") == 26
    wait_for(lambda: walk.of_cause("recipient_unknown"), "the suppression", 40)
    assert walk.send(GONE, "order-2") == 14
    assert walk.send("447700900405", "order-3") == 26

    assert [one["messageId"] for one in walk.infobip.sends(recipient=GONE)] == ["order-1"]
    entry = {"channel": "sms", "sender": "Shop", "purpose": "transactional"}
    refused, passes = walk.check({"to": f"+{GONE}"} | entry, {"to": "447700900405"} | entry)
    assert (refused["blocked"], refused["cause"], refused["rule"]) == (True, "recipient_unknown", "unknown-recipient")
    assert passes == {"blocked": False, "held": False, "flagged": False}

    [story] = walk.dlr.json("message", "order-1")["messages"]
    assert story["state"] == "failed"
    [failed] = [line for line in walk.dlr.lines("message", "order-1") if "EC_UNKNOWN_SUBSCRIBER" in "\t".join(line)]
    assert failed
    assert "unknown-recipient" in walk.dlr("message", "order-1")
    assert "recipient_unknown" in walk.dlr("message", "order-2")
    [[masked, verdict, cause, *_]] = walk.dlr.lines("suppress", "check", GONE, "--channel", "sms")
    assert (masked, verdict, cause) == ("…04", "blocked", "recipient_unknown")
    shown = walk.dlr("suppress", "show", GONE)
    assert "unknown-recipient" in shown
    assert "EC_UNKNOWN_SUBSCRIBER" in shown
    pack = walk.dlr.json("evidence", GONE)
    assert (pack["known"], pack["trails_whole"]) == (True, True)
    assert not [line for line in walk.stack.lines if GONE in line]


def test_8000_bounces_of_one_domain_block_nobody_until_a_person_has_agreed(walk: Walk) -> None:
    asked_for = [bounce(90_000 + number, error=6003, minute=4) for number in range(20)]
    complaints = [bounce(95_000 + number, error=6035, minute=5) for number in range(10)]
    for part in range(16):
        items = [bounce(500 * part + number, minute=10 * part // 16) for number in range(500)]
        walk.stack.post_items(*items, *(asked_for if part == 6 else complaints if part == 9 else ()), channel="email")
    held = wait_for(
        lambda: Counter(row.state for row in walk.of_cause("recipient_unknown") if row.channel == "email") == {"held": 8_000},
        "8,000 held",
        60,
    )
    assert held
