"""Ask Infobip's logs what became of a message (OUTBOUND 3): for 48 h, as often as one likes, 120 times a minute."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from codes.ref import CodeRef
from infobip.inbound import dates
from infobip.inbound.channels import slug
from infobip.outbound.answers import plain
from infobip.outbound.client import Client
from infobip.outbound.endpoint import Endpoint
from infobip.outbound.results import Exchanged, NotSent, Refused, Unknown
from infobip.outbound.verdict import retry_after
from infobip.outbound.wire import NotJson, members, parse, text

KEPT_FOR: Final = timedelta(hours=48)
"""After that, a message that logs do not show proves nothing."""
_MOST: Final = 1000
_NOWHERE: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """What logs say of a message; of several entries (one for each channel that was tried) the newest."""

    message_id: str
    status: CodeRef | None
    error: CodeRef | None
    sent_at: datetime | None
    done_at: datetime | None
    channel: str = ""
    """Our slug, where the entry names one."""
    entries: int = 1


@dataclass(frozen=True, slots=True)
class NotThere:
    """The logs were read and do not show it. That is no proof unless `control` is: a later message was there."""

    control: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The logs told nothing."""

    reason: str
    next_step: str
    ever: bool = True
    """False where asking again is of no use: this endpoint has no logs that could be asked for this message."""
    retry_after: timedelta | None = None


Look = Found | NotThere | Unreadable

_AGAIN: Final = "Ask again later."
_ONLY_A_REPORT: Final = "Wait for the report: without it the outcome stays unknown."
_NO_LOGS: Final = Unreadable("this endpoint's messages are in no logs", _ONLY_A_REPORT, ever=False)
_UNASKABLE: Final = Unreadable(
    "logs cannot be asked for an id that is empty or has a comma", _ONLY_A_REPORT, ever=False
)


def find(client: Client, endpoint: Endpoint, message_id: str, control: str = "") -> Look:
    """Look a message up by its id.

    `control` is the id of a message that left later through the same endpoint and account. It is asked for in the same
    request: where the logs show it and not ours, they were not merely late. (Whoever wants to post again under the
    same id still needs several such looks over half an hour: OUTBOUND 1.8 states no time within which logs are whole.)
    """
    if not endpoint.logs:
        return _NO_LOGS
    if "," in message_id or not message_id:
        return _UNASKABLE
    asked = [message_id, control] if control and "," not in control else [message_id]
    found = _read(client, endpoint, {"messageId": ",".join(asked), "limit": str(_MOST)})
    if isinstance(found, Unreadable):
        return found
    own = [one for one in found if one.message_id == message_id]
    if own:
        return _newest(own)
    return NotThere(control=bool(control) and any(one.message_id == control for one in found))


def latest_since(client: Client, endpoint: Endpoint, since: datetime, among: Collection[str] = ()) -> Look:
    """Return the newest message that left at or after `since`; of those in `among`, where ids are given."""
    if not endpoint.logs:
        return _NO_LOGS
    moment = since.astimezone(UTC)
    written = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"
    found = _read(client, endpoint, {"sentSince": written, "limit": str(_MOST)})
    if isinstance(found, Unreadable):
        return found
    # A window that the server did not heed must not make an old message a new one.
    later = [one for one in found if one.sent_at and one.sent_at >= moment and (not among or one.message_id in among)]
    return _newest(later) if later else NotThere(control=False)


def _read(client: Client, endpoint: Endpoint, query: dict[str, str]) -> list[Found] | Unreadable:
    answer = client.get(endpoint.logs, query)
    if isinstance(answer, Refused):
        return Unreadable(answer.text, answer.next_step)
    if isinstance(answer, NotSent | Unknown):
        return Unreadable(answer.reason, _AGAIN)
    if answer.http != 200:
        return _refused(answer)
    try:
        results = members(parse(answer.body)).get("results")
    except NotJson:
        results = None
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        return Unreadable("the answer is no list of logs", _AGAIN)
    return [_entry(one) for one in results]


def _refused(answer: Exchanged) -> Unreadable:
    wait = retry_after(answer.header("Retry-After"), datetime.now(UTC)) if answer.http == 429 else None
    scope = "Give the credential the scope for reading this channel's logs, in the Infobip portal."
    return Unreadable(f"it answered {answer.http}", scope if answer.http in (401, 403) else _AGAIN, retry_after=wait)


def _entry(node: dict[str, Any]) -> Found:
    return Found(
        message_id=text(node.get("messageId")),
        status=CodeRef.of(plain(node.get("status"))),
        error=CodeRef.of(plain(node.get("error"))),
        sent_at=dates.parse(text(node.get("sentAt"))),
        done_at=dates.parse(text(node.get("doneAt"))),
        channel=slug(text(node.get("channel"))) if text(node.get("channel")) else "",
    )


def _newest(found: list[Found]) -> Found:
    one = max(found, key=lambda one: (one.sent_at or _NOWHERE, one.done_at or _NOWHERE))
    return Found(one.message_id, one.status, one.error, one.sent_at, one.done_at, one.channel, len(found))
