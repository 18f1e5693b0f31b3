"""The parameters of a logs request: filters, limit and cursor (OUTBOUND facts 3)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from werkzeug.datastructures import MultiDict

from infobip.inbound.dates import parse
from infobip.simulator.book import Message
from infobip.simulator.errors import Refusal
from infobip.simulator.pulls import LIMIT, LIMIT_MOST
from infobip.simulator.reading import Faults

IDS_MOST: Final = 2048
GROUPS: Final = ("ACCEPTED", "PENDING", "UNDELIVERABLE", "DELIVERED", "REJECTED", "EXPIRED")
# Filters that take several values, separated by commas.
_LISTS: Final = ("bulkId", "messageId", "campaignReferenceId")
_SINGLE: Final = ("entityId", "applicationId")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. `before` is the number of the last message of the page before this one."""

    fields: Mapping[str, frozenset[str]]
    group: str
    network: str
    since: datetime | None
    until: datetime | None
    limit: int
    use_cursor: bool
    before: int | None

    def holds(self, message: Message) -> bool:
        """Whether a message is asked for."""
        one = message.submission
        held = {
            "sender": one.sender,
            "destination": one.recipient,
            "bulkId": message.bulk_id,
            "messageId": message.id,
            "campaignReferenceId": one.campaign,
            "entityId": one.entity,
            "applicationId": one.application,
        }
        return (
            all(held[name] in values for name, values in self.fields.items())
            and (not self.group or message.status.group == self.group)
            and message.mcc_mnc.startswith(self.network)
            and (self.since is None or message.sent_at >= self.since)
            and (self.until is None or message.sent_at <= self.until)
            and (self.before is None or message.number < self.before)
        )


def read_query(query: MultiDict[str, str], sender: str, destination: str, *, has_cursor: bool) -> Query:
    """Return what a request asks for; `sender` and `destination` are its names for these filters.

    Raises `Refusal` with every parameter that is wrong.
    """
    faults: Faults = {}
    fields = {name: frozenset([query[own]]) for name, own in _own_names(sender, destination) if query.get(own)}
    for name in _LISTS:
        values = [part for value in query.getlist(name) for part in value.split(",") if part]
        if len(",".join(values)) > IDS_MOST:
            faults[name] = f"size must be between 0 and {IDS_MOST}"
        if values:
            fields[name] = frozenset(values)
    if query.get("mnc") and not query.get("mcc"):
        faults["mcc"] = "must be there where mnc is"
    if query.get("generalStatus") and query["generalStatus"] not in GROUPS:
        faults["generalStatus"] = f"must be one of {', '.join(GROUPS)}"
    limit = query.get("limit", str(LIMIT))
    if not limit.isdecimal() or not 1 <= int(limit) <= LIMIT_MOST:
        faults["limit"] = f"must be between 1 and {LIMIT_MOST}"
    since, until = _date(query, "sentSince", faults), _date(query, "sentUntil", faults)
    use_cursor = has_cursor and query.get("useCursor", "false").lower() == "true"
    before = _number_in(query["cursor"], faults) if use_cursor and query.get("cursor") else None
    if faults:
        raise Refusal(400, faults=faults)
    network = query.get("mcc", "") + query.get("mnc", "")
    return Query(fields, query.get("generalStatus", ""), network, since, until, int(limit), use_cursor, before)


def cursor_after(message: Message) -> str:
    """Return the cursor for what comes after `message`."""
    return urlsafe_b64encode(f"n{message.number}".encode()).decode()


def _own_names(sender: str, destination: str) -> tuple[tuple[str, str], ...]:
    return (("sender", sender), ("destination", destination), *((name, name) for name in _SINGLE))


def _date(query: MultiDict[str, str], name: str, faults: Faults) -> datetime | None:
    value = query.get(name)
    # A plus that was not encoded comes as a blank: a mistake that the real service does not forgive either.
    found = parse(value) if value and " " not in value else None
    if value and found is None:
        faults[name] = "must be a date such as 2031-05-06T07:08:09.000+0000, with the plus encoded as %2B"
    return found


def _number_in(cursor: str, faults: Faults) -> int | None:
    try:
        text = urlsafe_b64decode(cursor.encode()).decode()
        return int(text.removeprefix("n"))
    except ValueError:
        faults["cursor"] = "is not a cursor of this endpoint"
        return None
