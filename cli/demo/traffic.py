"""The demo's 200 messages, sent as an application sends: through the pass-through, with Infobip's own requests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import requests

MESSAGES: Final = 200
_A_REQUEST: Final = 20
_PATH: Final = "/sms/3/messages"
_PATIENCE: Final = 30.0
# Numbers set aside for drama by Ofcom: nobody has them. Their ends decide what becomes of them (scenario.toml).
_FIRST: Final = 447_700_900_100
_AWAY: Final = tuple(f"44770090002{digit}" for digit in range(5))
_GONE: Final = tuple(f"44770090004{digit}" for digit in range(3))
_UNKNOWN_SENDER: Final = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One message."""

    id: str
    to: str
    sender: str
    text: str


class Application:
    """Sends SMS; of this service it knows nothing but the base URL."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._url = f"{base_url}{_PATH}"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"App {api_key}"
        self._session.trust_env = False  # a proxy that the environment names is no way to this machine

    def send(self, lines: Sequence[Line]) -> list[Mapping[str, Any]]:
        """Send messages in one request; return the answer's entry for each. Raises `requests.RequestException`."""
        body = {"messages": [_message(line) for line in lines]}
        answer = self._session.post(self._url, json=body, timeout=_PATIENCE)
        answer.raise_for_status()
        found: list[Mapping[str, Any]] = answer.json()["messages"]
        return found


def batches() -> Iterator[list[Line]]:
    """Yield the messages, twenty a request."""
    lines = list(_lines())
    for start in range(0, len(lines), _A_REQUEST):
        yield lines[start : start + _A_REQUEST]


def _lines() -> Iterator[Line]:
    special = [*_AWAY, *_GONE]
    for number in range(MESSAGES):
        to = special[number // 20] if number % 20 == 7 and number // 20 < len(special) else str(_FIRST + number)
        sender = "Parcels" if number >= MESSAGES - _UNKNOWN_SENDER else "Fernhill"
        yield Line(f"demo-{number + 1:03}", to, sender, f"Your order {number + 1} is on its way")


def _message(line: Line) -> dict[str, Any]:
    return {
        "sender": line.sender,
        "destinations": [{"to": line.to, "messageId": line.id}],
        "content": {"text": line.text},
    }
