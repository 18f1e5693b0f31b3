"""Push registrations in the People API (OUTBOUND 4.3): one at a time, answered at once with the registration's state.

A registration that is off tells neither who switched it off nor when. So it is read before it is changed: what was off
already is not ours, and is never switched on by us.
"""

from typing import Final
from urllib.parse import quote

from infobip.outbound.client import Client
from infobip.outbound.lists.outcome import Accepted, Denied, Outcome, Rejected, Unclear, outcome_of, rejected
from infobip.outbound.problems import read_problem
from infobip.outbound.results import Exchange, Exchanged, Refused
from infobip.outbound.wire import NotJson, at, parse, render

PATH: Final = "/people/2/contactInformation/push"
SCOPE: Final = "people:manage"
SECONDS: Final = 0.03
"""Between two requests: fifty a second are allowed."""


def is_enabled(client: Client, registration: str, application: str) -> bool | Outcome:
    """Return whether a registration gets messages, or why that is not known."""
    return _ask(client, "GET", registration, application)


def switch(client: Client, registration: str, application: str, *, on: bool) -> Outcome:
    """Switch a registration on or off; `Accepted` means that it is so now."""
    found = _ask(client, "PATCH", registration, application, {"systemData": {"registrationEnabled": on}})
    if isinstance(found, bool):
        return Accepted() if found is on else Unclear("it answered with the registration as it was before")
    return found


def _ask(
    client: Client, method: str, registration: str, application: str, body: dict[str, object] | None = None
) -> bool | Outcome:
    content = None if body is None else render(body)
    answer = client.ask(
        method, f"{PATH}/{quote(registration, safe='')}", body=content, headers={"AppCode": application}
    )
    found = _outcome(answer)
    if not isinstance(found, Accepted) or not isinstance(answer, Exchanged):
        return found
    try:
        enabled = at(parse(answer.body), ("systemData", "registrationEnabled"))
    except NotJson:
        enabled = None
    return enabled if isinstance(enabled, bool) else Unclear("it answered without the registration's state")


def _outcome(answer: Exchange | Refused) -> Outcome:
    found = outcome_of(answer, SCOPE)
    if isinstance(found, Exchanged):
        return rejected(found)
    if isinstance(found, Denied) and isinstance(answer, Exchanged) and answer.http == 404:
        # Of one registration, and not of the whole API: the body says so in the People API's own way.
        problem = read_problem(answer.body)
        return Rejected(problem.text or "there is no such push registration")
    return found
