"""An offline Infobip for tests: the product's own simulator on a free port, and requests to it as a customer makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests

from infobip.simulator import Simulator
from infobip.simulator.simulator import Source

PERSON: Final = "447700900123"
KEY: Final = "key-of-the-simulator"
AT_ONCE: Final[dict[str, Any]] = {"otherwise": [{"after": 0}], "blocklist_delay": 0}
"""A scenario in which everything is delivered, and every change in force, without waiting."""


@contextmanager
def infobip(scenario: Source = None, **more: Any) -> Iterator[Simulator]:
    """Run a simulator; `AT_ONCE` is its scenario unless another is given. `more` goes to `Simulator`."""
    with Simulator(AT_ONCE if scenario is None else scenario, **{"api_key": KEY, **more}) as simulator:
        yield simulator


def fails_first(error: str | int, *, attempts: int = 1, **match: Any) -> dict[str, Any]:
    """Return a scenario in which the first sends to a person fail with `error`, and the next one is delivered."""
    failing: list[dict[str, Any]] = [
        {
            "name": f"attempt {attempt} fails",
            "match": {"attempt": attempt, **match},
            "reports": [{"after": 0, "error": error}],
        }
        for attempt in range(1, attempts + 1)
    ]
    return {**AT_ONCE, "name": "fails first", "rule": failing}


def sms(
    to: str = PERSON, text: str = "Your parcel is here", message_id: str = "", sender: str = "Shop", **webhooks: Any
) -> dict[str, Any]:
    """Return the body of one SMS v3 message."""
    destination = {"to": to, "messageId": message_id} if message_id else {"to": to}
    message: dict[str, Any] = {"sender": sender, "destinations": [destination], "content": {"text": text}}
    return {"messages": [message | ({"webhooks": webhooks} if webhooks else {})]}


def call(
    simulator: Simulator, method: str, path: str, *, timeout: float = 20, credential: str | None = None, **more: Any
) -> requests.Response:
    """Send one request with the simulator's own credential, or with another Authorization header."""
    headers = {"Authorization": simulator.headers["Authorization"] if credential is None else credential}
    headers |= more.pop("headers", {})
    return requests.request(method, f"{simulator.url}{path}", headers=headers, timeout=timeout, **more)


def send(simulator: Simulator, body: Any = None, path: str = "/sms/3/messages") -> Any:
    """Send a body, which has to be answered 200, and return the answer."""
    answer = call(simulator, "POST", path, json=sms() if body is None else body)
    assert answer.status_code == 200, answer.text
    return answer.json()
