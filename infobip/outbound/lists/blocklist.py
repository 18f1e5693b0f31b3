"""The Blocklist, which Infobip's portal calls Do Not Contact (OUTBOUND 4.1): one request of each method a second.

Changes are answered with 202 and made later, and what is there already is left as it is, so a request may be repeated.
A removal names every property of the record, its source above all: without one it would take a person's own STOP too.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from infobip.inbound.channels import slug
from infobip.inbound.dates import parse as parse_date
from infobip.outbound.client import Client
from infobip.outbound.lists.outcome import Outcome, Page, Read, Record, Unclear, change_of, read_of
from infobip.outbound.results import Exchanged
from infobip.outbound.wire import NotJson, at, items, members, parse, render, text, whole

PATH: Final = "/platform/1/blocklists"
SCOPE: Final = "blocklist:manage"
OURS: Final = "CUSTOM"
PAGE: Final = 1000
SECONDS: Final = 1.05
"""Between two requests of one method: one a second, and a little for clocks that differ."""

# Our slugs of the channels that can be written, as the Blocklist names them.
NAMES: Final[Mapping[str, str]] = {
    "sms": "SMS",
    "email": "EMAIL",
    "viber": "VIBER",
    "rcs": "RCS",
    "mms": "MMS",
    "whatsapp": "WHATSAPP",
}
_PLACE: Final = re.compile(r"blocklist\[(\d+)\](?:\.destinations\[(\d+)\])?")


def add(client: Client, records: Sequence[Record]) -> Outcome:
    """Ask for records to be put on the list."""
    return _change(client, "POST", records)


def remove(client: Client, records: Sequence[Record]) -> Outcome:
    """Ask for records of ours to be taken off the list, and for nobody else's."""
    return _change(client, "DELETE", records)


def _change(client: Client, method: str, records: Sequence[Record]) -> Outcome:
    groups = _groups(records, removes=method == "DELETE")
    tree = {
        "blocklist": [{**head, "destinations": [{"to": records[one].address} for one in of]} for head, of in groups]
    }
    return change_of(client.ask(method, PATH, body=render(tree)), SCOPE, lambda answer: _reasons(answer, groups))


_Group = tuple[dict[str, str], list[int]]


def _groups(records: Sequence[Record], *, removes: bool) -> list[_Group]:
    """Return what records have in common, and the places of those that do."""
    found: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for place, one in enumerate(records):
        head = {"sender": one.scope, "channel": NAMES.get(one.channel, "")}
        if removes:
            head |= {"accountKey": one.account_key, "sourceType": OURS}
        found.setdefault(tuple((name, value) for name, value in head.items() if value), []).append(place)
    return [(dict(head), places) for head, places in found.items()]


def _reasons(answer: Exchanged, groups: Sequence[_Group]) -> dict[int, str]:
    """Return which records a 400 blames: a destination by its place, or a whole group."""
    try:
        faults = members(at(parse(answer.body), ("requestError", "serviceException", "validationErrors")))
    except NotJson:
        return {}
    found: dict[int, str] = {}
    for name, said in faults.items():
        place = _PLACE.match(name)
        group = groups[int(place[1])][1] if place and int(place[1]) < len(groups) else []
        why = text((items(said) or [""])[0]) or "refused"
        if place and place[2] is None:
            found |= dict.fromkeys(group, f"{name.rpartition('.')[2]} {why}")
        elif place and int(place[2]) < len(group):
            found[group[int(place[2])]] = f"{name.rpartition('.')[2]} {why}"
    return found


def read(
    client: Client, *, page: int = 0, source: str = "", since: datetime | None = None, destination: str = ""
) -> Read:
    """Read one page of the list, the first is 0; of one source, created since, or of one destination where asked."""
    query = {"page": str(page), "size": str(PAGE)}
    if source:
        query["sourceType"] = source
    if destination:
        query["destination"] = destination
    if since is not None:
        query["createdDateFrom"] = f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}Z"
    return read_of(client.get(PATH, query), SCOPE, lambda answer: _page(answer, page))


def _page(answer: Exchanged, page: int) -> Read:
    try:
        top = members(parse(answer.body))
    except NotJson:
        top = {}
    results = top.get("results")
    if not isinstance(results, list):
        return Unclear("its answer is no list of records")
    paging = members(top.get("paging"))
    pages = whole(paging.get("totalPages"))
    more = page + 1 < pages if pages is not None else len(results) >= PAGE
    return Page(tuple(_record(members(one)) for one in results), more, whole(paging.get("totalResults")))


def _record(node: dict[str, Any]) -> Record:
    channel = text(node.get("channel"))
    return Record(
        address=text(node.get("destination")),
        channel=slug(channel) if channel else "",
        scope=text(node.get("sender")),
        source=text(node.get("sourceType")),
        account_key=text(node.get("accountKey")),
        created=parse_date(text(node.get("createdDate"))),
    )
