"""Which rule of a scenario applies."""

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Final

from infobip.simulator.coding import UnknownCode, find
from infobip.simulator.errors import ScenarioError, ScenarioFault
from infobip.simulator.scenario import SEND, Match, Rule, Scenario, Step
from infobip.simulator.submission import Submission

_UNKNOWN_NETWORK: Final = "23410"
# Endpoints whose messages go by a channel that only the request tells.
_UMBRELLAS: Final = frozenset({"messages-api", "omni"})


@dataclass(frozen=True, slots=True)
class Case:
    """A message that a rule is sought for: what it is, and the how manieth. `key` is what its shares hang on."""

    submission: Submission
    channel: str
    key: str
    attempt: int
    request: int


class Rules:
    """A scenario's rules and how often each has applied. Safe to share between threads."""

    def __init__(self, scenario: Scenario, began: float) -> None:
        """Take a scenario that begins at the simulated second `began`. Raises `ScenarioError` for unknown codes."""
        _check_codes(scenario)
        self.scenario = scenario
        self._began = began
        self._used: Counter[int] = Counter()
        self._lock = threading.Lock()

    def for_message(self, case: Case, now: float) -> Rule | None:
        """Return the first rule that applies to a message, and count it."""
        for index, rule in enumerate(self.scenario.rules):
            match = rule.match
            applies = match.api == SEND and self._is_on(match, now) and self._fits(index, match, case)
            if applies and self._take(index, match):
                return rule
        return None

    def before_reading(self, channel: str, now: float) -> Rule | None:
        """Return the rule that drops a send unread, if the first rule that could apply is one."""
        for index, rule in enumerate(self.scenario.rules):
            match = rule.match
            if match.api != SEND or not self._is_on(match, now):
                continue
            if match.channel and channel not in match.channel and channel not in _UMBRELLAS:
                continue
            by_leg = bool(match.channel) and channel in _UMBRELLAS
            if match.needs_the_body or by_leg or rule.fault is None or rule.fault.drop != "before":
                return None
            if self._take(index, match):
                return rule
        return None

    def for_api(self, api: str, key: str, now: float) -> Rule | None:
        """Return the first rule about another part of the API than sending."""
        for index, rule in enumerate(self.scenario.rules):
            match = rule.match
            applies = match.api == api and self._is_on(match, now) and self._in_share(index, match, key)
            if applies and self._take(index, match):
                return rule
        return None

    def chance(self, purpose: str, key: str) -> float:
        """Return a number from 0 to 1 that is always the same for a purpose, a key and the scenario's seed."""
        text = f"{self.scenario.seed}\0{purpose}\0{key}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64

    def network_of(self, recipient: str) -> str:
        """Return the mccMnc of a number."""
        digits = recipient.removeprefix("+")
        known = [prefix for prefix in self.scenario.networks if digits.startswith(prefix)]
        return self.scenario.networks[max(known, key=len)] if known else _UNKNOWN_NETWORK

    def _is_on(self, match: Match, now: float) -> bool:
        since = now - self._began
        return match.since <= since and (match.until is None or since < match.until)

    def _fits(self, index: int, match: Match, case: Case) -> bool:
        one = case.submission
        recipient = one.recipient.removeprefix("+")
        return (
            (not match.channel or case.channel in match.channel or one.leg in match.channel)
            and (not match.recipient or bool(match.recipient & {one.recipient, recipient}))
            and (not match.prefix or recipient.startswith(match.prefix))
            and (not match.sender or one.sender in match.sender)
            and (not match.network or self.network_of(one.recipient) in match.network)
            and (match.attempt is None or match.attempt.holds(case.attempt))
            and (match.request is None or match.request.holds(case.request))
            and self._in_share(index, match, one.recipient if match.share_of == "recipient" else case.key)
        )

    def _in_share(self, index: int, match: Match, key: str) -> bool:
        return match.share >= 1 or self.chance(f"rule {index}", key) < match.share

    def _take(self, index: int, match: Match) -> bool:
        with self._lock:
            if match.times is not None and self._used[index] >= match.times:
                return False
            self._used[index] += 1
            return True


def _check_codes(scenario: Scenario) -> None:
    """Look every code up now: scenarios that tests build from dataclasses have not been through the schema."""
    places: list[tuple[str, tuple[Step, ...]]] = [("otherwise", scenario.otherwise)]
    faults: list[ScenarioFault] = []
    for rule in scenario.rules:
        places.append((f"rule {rule.name!r}", rule.reports or ()))
        if rule.answer is not None:
            faults += _faults_of("status", rule.answer, f"rule {rule.name!r}, answer")
    for place, steps in places:
        for step in steps:
            faults += _faults_of("status", step.status, f"{place}, status")
            faults += _faults_of("error", step.error, f"{place}, error")
    if faults:
        raise ScenarioError(faults)


def _faults_of(kind: str, wish: int | str | None, place: str) -> list[ScenarioFault]:
    if wish is None:
        return []
    try:
        find(kind, wish, "sms")
    except UnknownCode as error:
        return [ScenarioFault(place, str(error))]
    return []
