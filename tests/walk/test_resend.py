"""A message that fails for now arrives by its second attempt, through real processes and a simulated Infobip."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from infobip.simulator import Simulator
from store import api_keys
from store.schema import messages, retries
from tests.support import postgres
from tests.support.dlr import Dlr
from tests.support.infobip import KEY, PERSON, fails_first, infobip, sms
from tests.support.stack import Stack, running, wait_for

_DELAY = timedelta(seconds=2)
POLICY = """
version = 1
[modes]
retry = "act"
[limits]
settle = "1s"
jitter = 0.0
[purposes]
default = {"*" = "transactional"}
[[rule]]
id = "soon"
match = { cause = ["recipient_unreachable"] }
why = "a test has no time to wait for a phone to come back"
retry = { delays = ["2s"], attempts = 1 }
"""


@dataclass
class Walk:
    """One installation between an application and a simulated Infobip."""

    stack: Stack
    infobip: Simulator
    dlr: Dlr
    base: str

    def send(self, **message: Any) -> requests.Response:
        headers = {"Authorization": f"App {KEY}"}
        return requests.post(f"{self.base}/sms/3/messages", json=sms(**message), headers=headers, timeout=20)

    def state(self, message_id: str) -> str:
        return next((row.state for row in self.stack.rows(messages) if row.message_id == message_id), "")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def walk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("resend")
    policy = folder / "policy.toml"
    policy.write_text(POLICY, "utf-8")
    with infobip(fails_first("EC_ABSENT_SUBSCRIBER")) as simulator:
        settings = {
            "DLR_INFOBIP_URL": simulator.url,
            "DLR_INFOBIP_KEY": KEY,
            "DLR_POLICY": str(policy),
            "DLR_QUIET_HOURS": "off",
            "DLR_SWEEP": "1s",
        }
        if request.param == "postgresql":
            settings["DLR_DATABASE_URL"] = postgres.new_database(request.getfixturevalue("postgres_url"))
        with running(folder, **settings) as stack:
            with stack.database.transaction() as connection:
                key = api_keys.make(connection, "main", "shop", [api_keys.PROXY], datetime.now(UTC))
            simulator.world.targets.notify_url = f"http://127.0.0.1:{stack.port}/webhook/{{channel}}/{stack.token}"
            dlr = Dlr({**settings, "DLR_STATE_DIR": str(stack.state_dir)})
            yield Walk(stack, simulator, dlr, f"http://127.0.0.1:{stack.proxy_port}/proxy/{key}")


def test_what_failed_for_now_is_sent_again_at_its_time_arrives_and_is_one_story(walk: Walk) -> None:
    answer = walk.send(message_id="order-7", sender="Shop")
    assert answer.status_code == 200
    assert answer.json()["messages"][0]["messageId"] == "order-7"

    wait_for(lambda: walk.state("order-7") == "delivered", "the second attempt to arrive", 40)

    assert [(one["messageId"], one["outcome"]) for one in walk.infobip.sends(recipient=PERSON)] == [
        ("order-7", "accepted"),
        ("order-7-r1", "accepted"),
    ]
    [first, second] = walk.infobip.sends(recipient=PERSON)
    assert first["contentHash"] == second["contentHash"]
    assert datetime.fromisoformat(second["at"]) - datetime.fromisoformat(first["at"]) >= _DELAY
    [row] = walk.stack.rows(retries)
    assert (row.state, row.posts, row.new_id) == ("accepted", 1, "order-7-r1")
    [story] = walk.dlr.json("message", "order-7")["messages"]
    assert story["state"] == "delivered"
    assert [report["outcome"] for report in story["reports"]] == ["failed", "delivered"]
    assert [(one["attempt"], one["state"], one["new_id"]) for one in story["resends"]] == [
        (1, "accepted", "order-7-r1")
    ]
    lines = walk.dlr.lines("message", "order-7")
    [resend] = [line for line in lines if line[1] == "resend"]
    assert resend[2] == "attempt 1 as order-7-r1 left, and Infobip has it"
    assert "rule soon" in resend[3]
    assert resend[0].startswith(f"{row.sent_at:%Y-%m-%d %H:%M}")
    assert not [line for line in walk.stack.lines if PERSON in line]
