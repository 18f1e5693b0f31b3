"""The Subscriptions Management API (OUTBOUND facts 5): read, create, replace and delete, one thing at a time.

The ids are the caller's own, so every request may be repeated: a second POST of an id meets the first one, PUT and
DELETE do not add up. What has to be waited for is waited for, within bounds.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from infobip.outbound.client import Client
from infobip.outbound.errors import SubscriptionsRefused
from infobip.outbound.problems import read_problem
from infobip.outbound.results import Exchanged, NotSent, Refused, Unknown
from infobip.outbound.verdict import retry_after

SECURITY: Final = "security"
PROFILE: Final = "profiles"
SUBSCRIPTION: Final = "subscription"
Body = dict[str, Any]

_BASE: Final = "/subscriptions/1"
_WAITS: Final = (1.0, 2.0, 4.0)
"""Seconds before a request is repeated, where Infobip does not say how long to wait (it documents no such header)."""
_LONGEST_WAIT: Final = 30.0
_PAGE: Final = 100
_MOST_PAGES: Final = 50
_STEPS: Final[Mapping[int, str]] = {
    400: "Compare what is named with the settings; if it is none of yours, report it: the API may have changed.",
    401: "Check the account's credential (DLR_INFOBIP_KEY, or its table in DLR_ACCOUNTS) and its base URL.",
    403: "Give the credential the scope subscriptions:manage, in the Infobip portal under API keys.",
    404: "Run the same command again: something was deleted at Infobip meanwhile.",
    409: "Another subscription gets the same events, or something else uses this: `dlr subscribe show` lists them.",
    429: "Wait some minutes, then run the same command again.",
}
_AGAIN: Final = "Run the same command again: it finds what is there and goes on from it."


class SubscriptionsApi:
    """One account's subscriptions, profiles and security settings. `pause` waits for that many seconds."""

    def __init__(self, client: Client, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._pause = pause

    def read(self, kind: str, name: str, channel: str = "") -> Body | None:
        """Return what has this id, or nothing. Raises `SubscriptionsRefused`."""
        answer = self._ask("GET", _path(kind, channel, name))
        return None if answer.http == 404 else _object(answer)

    def listed(self, channel: str) -> list[Body]:
        """Return all subscriptions of one of Infobip's channels. Raises `SubscriptionsRefused`."""
        found: list[Body] = []
        for page in range(_MOST_PAGES):
            answer = self._ask("GET", f"{_path(SUBSCRIPTION, channel)}?page={page}&size={_PAGE}")
            if answer.http == 404:
                break
            results, pages = _page(answer)
            found += results
            if page + 1 >= pages:
                break
        return found

    def create(self, kind: str, name: str, body: Body, channel: str = "") -> None:
        """Make something under an id of ours; where the answer is lost, look whether it is there.

        Raises `SubscriptionsRefused`.
        """
        try:
            self._ask("POST", _path(kind, channel), body, repeats=False)
        except SubscriptionsRefused as error:
            if not error.open_outcome:
                raise
            without_id = {key: value for key, value in body.items() if key not in _IDS}
            if self.read(kind, name, channel) is None:
                self._ask("POST", _path(kind, channel), body, repeats=False)
            else:
                self.replace(kind, name, without_id, channel)

    def replace(self, kind: str, name: str, body: Body, channel: str = "") -> None:
        """Put a whole new content under an id. Raises `SubscriptionsRefused`."""
        answer = self._ask("PUT", _path(kind, channel, name), body)
        if answer.http == 404:
            raise _refusal(answer)

    def delete(self, kind: str, name: str, channel: str = "") -> None:
        """Remove something; it is no fault where it is gone. Raises `SubscriptionsRefused`."""
        self._ask("DELETE", _path(kind, channel, name))

    def _ask(self, method: str, path: str, body: Body | None = None, *, repeats: bool = True) -> Exchanged:
        """Return a 2xx, or the 404 of a path with an id."""
        content = None if body is None else json.dumps(body).encode()
        for wait in (*_WAITS, None):
            answer = self._client.ask(method, path, body=content)
            if isinstance(answer, Refused):
                raise SubscriptionsRefused(answer.text, answer.next_step, http=answer.http)
            if isinstance(answer, Exchanged) and (answer.http < 300 or (answer.http == 404 and method != "POST")):
                return answer
            busy = isinstance(answer, Exchanged) and answer.http == 429
            if wait is None or not (busy or (repeats and _passes(answer))):
                raise _refusal(answer)
            self._pause(_wait_for(answer, wait))
        raise AssertionError("the last try always ends it")


_IDS: Final = frozenset({"authId", "profileId", "subscriptionId"})


def _path(kind: str, channel: str = "", name: str = "") -> str:
    parts = (kind, channel, quote(name, safe="")) if kind == SUBSCRIPTION else (kind, quote(name, safe=""))
    return "/".join((_BASE, *(part for part in parts if part)))


def _passes(answer: Exchanged | NotSent | Unknown) -> bool:
    """Whether the same request may fare better in a moment. A 5xx of a repeatable request does no harm twice."""
    return not isinstance(answer, Exchanged) or answer.http >= 500 or answer.http in (408, 425)


def _wait_for(answer: Exchanged | NotSent | Unknown, usual: float) -> float:
    asked = None
    if isinstance(answer, Exchanged):
        asked = retry_after(answer.header("Retry-After"), datetime.now(UTC))
    return usual if asked is None else min(asked.total_seconds(), _LONGEST_WAIT)


def _refusal(answer: Exchanged | NotSent | Unknown) -> SubscriptionsRefused:
    if isinstance(answer, NotSent):
        return SubscriptionsRefused(f"Infobip cannot be reached: {answer.reason}", answer.next_step)
    if isinstance(answer, Unknown):
        said = f"Infobip gave no answer ({answer.reason}), so it may have been done or not"
        return SubscriptionsRefused(said, _AGAIN, open_outcome=True)
    problem = read_problem(answer.body)
    said = f"Infobip answers {answer.http}" + (f": {problem.text.rstrip('.')}" if problem.text else "")
    open_outcome = answer.http >= 500 or answer.http in (408, 425)
    step = _STEPS.get(answer.http, _AGAIN if open_outcome else "Look at the account's base URL and credential.")
    return SubscriptionsRefused(said, step, http=answer.http, open_outcome=open_outcome)


def _json(answer: Exchanged) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        raise SubscriptionsRefused(
            "Infobip's answer is no JSON", "Check the account's base URL: something else seems to answer there."
        ) from None


def _object(answer: Exchanged) -> Body:
    found = _json(answer)
    if not isinstance(found, dict):
        raise SubscriptionsRefused("Infobip's answer is no object", "Report it: the API may have changed.")
    return found


def _page(answer: Exchanged) -> tuple[list[Body], int]:
    """Return the entries of a page and the number of pages.

    The envelope is documented for the list of certificates of the same API, and taken to be the same here.
    """
    found = _json(answer)
    entries = found if isinstance(found, list) else found.get("results") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise SubscriptionsRefused("Infobip's list has no results", "Report it: the API may have changed.")
    paging = found.get("paging") if isinstance(found, dict) else None
    pages = paging.get("totalPages") if isinstance(paging, dict) else None
    return [one for one in entries if isinstance(one, dict)], pages if isinstance(pages, int) else 1
