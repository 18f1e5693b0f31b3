"""What can go wrong, and how Infobip says it.

SimulatorError
 ├── ScenarioError     a scenario that cannot be used; lists a ScenarioFault (place, problem, fix) for each mistake
 └── CannotListen      the address is in use or not ours
Refusal                an answer other than 2xx, in one of Infobip's error shapes
ConnectionError
 └── Dropped           no answer at all: the connection is reset, or closed without a word
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class SimulatorError(Exception):
    """Base of what a person who runs the simulator can put right; the text says how."""


class CannotListen(SimulatorError):
    """The simulator cannot listen where it should."""


@dataclass(frozen=True, slots=True)
class ScenarioFault:
    """One mistake of a scenario: where, what, and what to write instead."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


class ScenarioError(SimulatorError):
    """A scenario with mistakes; carries all of them."""

    def __init__(self, faults: list[ScenarioFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class Dropped(ConnectionError):
    """The connection ends without an answer; `reset` tells the client so at once instead of closing in order."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("dropped as the scenario has it")
        self.reset = reset


class Shape(StrEnum):
    """The forms of Infobip's error bodies (OUTBOUND facts 2)."""

    API = "api"
    LEGACY = "legacy"


@dataclass
class Refusal(Exception):
    """An answer other than 2xx.

    `faults` is property path -> what is wrong with it. `people` is the number and the text of the People API's own
    form, `headers` go out with the answer.
    """

    status: int
    text: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    people: tuple[int, str] | None = None

    def body(self, shape: Shape) -> dict[str, Any]:
        """Return the body in the form that the endpoint uses."""
        if self.people is not None:
            return {"errorCode": self.people[0], "errorMessage": self.people[1]}
        if shape is Shape.API:
            violations = [{"property": place, "violation": wrong} for place, wrong in self.faults.items()]
            description, action = _API_WORDS.get(self.status, _API_WORDS[500])
            return {
                "errorCode": f"E{self.status}",
                "description": self.text or description,
                "action": action,
                "violations": violations,
                "resources": [],
            }
        exception: dict[str, Any] = {
            "messageId": _LEGACY_NAMES.get(self.status, "GENERAL_ERROR"),
            "text": self.text or _API_WORDS.get(self.status, _API_WORDS[500])[0],
        }
        if self.faults:
            exception["validationErrors"] = {place: [wrong] for place, wrong in self.faults.items()}
        return {"requestError": {"serviceException": exception}}


# status -> what happened, and what to do: in our own words, under Infobip's names.
_API_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("The request is not valid.", "Correct what the violations name."),
    401: ("The credential is missing or wrong.", "Send a valid Authorization header."),
    403: ("The credential may not do this.", "Use a credential with the scope of this endpoint."),
    404: ("There is no such resource.", "Check the path and the identifier."),
    405: ("The resource does not know this method.", "Check the method."),
    409: ("It conflicts with what is there already.", "Change or delete the other one first."),
    413: ("The request is too large.", "Send less at a time."),
    429: ("Too many requests at a time.", "Wait, then repeat the request more slowly."),
    500: ("Something failed on the server.", "Repeat the request later, or ask the support."),
    502: ("Something failed behind the server.", "Repeat the request later."),
    503: ("The service is not available now.", "Repeat the request later."),
    504: ("The server got no answer in time.", "Repeat the request later."),
}
_LEGACY_NAMES: Final[Mapping[int, str]] = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    429: "TOO_MANY_REQUESTS",
}


def invalid(**faults: str) -> Refusal:
    """Return a 400 that names what is wrong with one property or several at the top of the request."""
    return Refusal(400, faults=faults)


def too_many(retry_after: float | None = None) -> Refusal:
    """Return a 429. No source documents Retry-After, so it is only sent where a scenario asks for it."""
    headers = {} if retry_after is None else {"Retry-After": f"{max(0, round(retry_after))}"}
    return Refusal(429, headers=headers)
