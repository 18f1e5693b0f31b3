"""Answers for people whom we did not let a request reach: as Infobip would answer for its own blocklist."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from codes.lookup import shipped
from codes.table import Row
from infobip.outbound.answers import entries_of, pair, read_answer, read_answer_top
from infobip.outbound.endpoint import Answer
from infobip.outbound.sends import Destination, Position, Sends
from infobip.outbound.wire import Number, at, members, render

BLOCKLISTED: Final = "recipient_blocklisted"
"""The cause of the status that we answer with."""
_DESCRIPTION: Final = "The recipient is suppressed by the sender's own delivery-report service."


def blocked_answer(
    sends: Sends,
    removed: Collection[Position],
    real: bytes | None,
    ids: Mapping[Position, str],
    bulk_id: str = "",
) -> bytes:
    """Return Infobip's answer with an entry for everybody in `removed`, in the request's order.

    `real` is the body of its 2xx answer to what was left, or None where nothing was; `ids` are the message ids that
    the removed get (a request's own id goes first); `bulk_id` is used only where neither answer nor request has one.
    Raises `UnreadableAnswer`.
    """
    endpoint = sends.endpoint
    if endpoint.answer is Answer.FLAT:
        one = sends.destinations[0]
        return real if real is not None else render(_entry(sends, one, ids.get(one.position, "")))
    top: dict[str, Any] = {}
    theirs: list[Any] = []
    pairs: dict[Position, int] = {}
    if real is not None:
        top = read_answer_top(endpoint, real)
        theirs = entries_of(endpoint, top)
        pairs = pair(sends, read_answer(endpoint, real), lambda one: one.position not in removed)
    else:
        bulk = sends.bulk_id or bulk_id
        top = {"bulkId": bulk} if bulk else {}
    merged: list[Any] = []
    told = 0
    for one in sends.destinations:
        if one.position in removed:
            merged.append(_entry(sends, one, ids.get(one.position, "")))
        elif pairs.get(one.position, -1) >= told:
            merged += theirs[told : pairs[one.position] + 1]
            told = pairs[one.position] + 1
    return render({**top, "messages": merged + theirs[told:]})


@cache
def status_row() -> Row:
    """Return the row of the status that means: on the blocklist."""
    rows = shipped().tables.rows
    return next(row for row in rows if (row.family, row.kind, row.cause) == ("general", "status", BLOCKLISTED))


def _entry(sends: Sends, one: Destination, message_id: str) -> dict[str, Any]:
    endpoint, row = sends.endpoint, status_row()
    status: dict[str, Any] = {
        "groupId": Number.of(row.group_id or 0),
        "groupName": row.group,
        "id": Number.of(row.id),
        "name": row.name,
        "description": _DESCRIPTION,
    }
    entry: dict[str, Any] = {"messageId": one.message_id or message_id, "status": status}
    entry[endpoint.answers_to] = _to(sends, one)
    if endpoint.channel == "whatsapp":
        entry["messageCount"] = Number.of(1)
    return entry


def _to(sends: Sends, one: Destination) -> Any:
    """Return the recipient as the request names it; OMNI's is an object and is answered as one."""
    named = at(sends.top, ("destinations", one.position.destination, "to")) if sends.endpoint.name == "omni" else None
    if isinstance(named, dict):
        return members(named)
    return one.recipients[0].written if one.recipients else ""
