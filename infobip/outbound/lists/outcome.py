"""What a request to one of Infobip's lists comes to: a small closed set.

A 2xx only says that the change is queued; whether it was made, a later read tells. No text holds an address.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from config.mask import mask_text
from infobip.outbound.problems import read_problem
from infobip.outbound.results import Exchange, Exchanged, NotSent, Refused, Unknown
from infobip.outbound.verdict import retry_after


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a list. `channel` is our slug (empty: all); `scope` and `source` as in `policy.mirror.Place`."""

    address: str = field(repr=False)
    channel: str = ""
    scope: str = ""
    source: str = ""
    account_key: str = ""
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records of a list. `more`: another page follows. `total` is what the list says it holds, where it says so."""

    records: tuple[Record, ...]
    more: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Queued at Infobip."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing of the request was taken. `reasons`: place in the request -> what is wrong with that record."""

    text: str
    reasons: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing can be done with this account for now: its credential, a scope, or the base URL."""

    text: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Nothing was taken, since requests came too fast."""

    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """Proven: the request did not arrive."""

    text: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been taken."""

    text: str


Trouble = Denied | Busy | Unsent | Unclear
Outcome = Accepted | Rejected | Denied | Busy | Unsent | Unclear
Read = Page | Rejected | Denied | Busy | Unsent | Unclear

# What is wrong with the request itself; all else below 500 is about the account.
_OF_THE_REQUEST: Final = frozenset({400, 409, 413, 422})
_STEPS: Final = {
    401: "Check the account's credential (DLR_INFOBIP_KEY, or its table in DLR_ACCOUNTS).",
    403: "Give the credential the scope {scope}, in the Infobip portal under API keys.",
    404: "Check the account's base URL, and that this API is switched on for the account.",
}
_OTHER_STEP: Final = "Look at the account's base URL and credential."


def outcome_of(answer: Exchange | Refused, scope: str) -> Outcome | Exchanged:
    """Return what an answer proves; a 400 and its like as it came, since each list names its faults its own way."""
    if isinstance(answer, Refused):
        return Denied(answer.text, answer.next_step)
    if isinstance(answer, NotSent):
        return Unsent(answer.reason, answer.next_step)
    if isinstance(answer, Unknown):
        return Unclear(answer.reason)
    http = answer.http
    if 200 <= http < 300:
        return Accepted()
    if http in (425, 429):
        return Busy(retry_after(answer.header("Retry-After"), datetime.now(UTC)))
    if http >= 500 or http == 408:
        return Unclear(f"it answered {http}")
    if http in _OF_THE_REQUEST:
        return answer
    problem = read_problem(answer.body)
    said = f"it answered {http}" + (f": {problem.text}" if problem.text else "")
    return Denied(said, _STEPS.get(http, _OTHER_STEP).format(scope=scope))


def change_of(answer: Exchange | Refused, scope: str, reasons: Callable[[Exchanged], Mapping[int, str]]) -> Outcome:
    """Return what came of a change; `reasons` tells which records a refusal blames (place in the request -> why)."""
    found = outcome_of(answer, scope)
    return rejected(found, reasons(found)) if isinstance(found, Exchanged) else found


def read_of(answer: Exchange | Refused, scope: str, page: Callable[[Exchanged], Read]) -> Read:
    """Return what came of a read; `page` reads the body of an answer that has one."""
    found = outcome_of(answer, scope)
    if isinstance(found, Exchanged):
        return rejected(found)
    if not isinstance(found, Accepted):
        return found
    # Without a body nothing is known: an empty page would say that all of it is gone.
    return page(answer) if isinstance(answer, Exchanged) else Unclear("it answered without a body")


def rejected(answer: Exchanged, reasons: Mapping[int, str] | None = None) -> Rejected:
    """Return the refusal of a request. Its texts reach rows, incidents and alerts, so addresses in them are masked."""
    problem = read_problem(answer.body)
    masked = {place: mask_text(why) for place, why in (reasons or {}).items()}
    return Rejected(problem.text or f"it answered {answer.http} without a reason", masked)
