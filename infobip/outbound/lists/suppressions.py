"""E-mail suppressions of a sender's domain (OUTBOUND 4.2): 204 and made later, what is there already is left alone."""

import re
from collections.abc import Sequence
from typing import Final

from infobip.inbound.dates import parse as parse_date
from infobip.outbound.client import Client
from infobip.outbound.lists.outcome import Outcome, Page, Read, Record, Unclear, change_of, read_of
from infobip.outbound.results import Exchanged
from infobip.outbound.wire import NotJson, items, members, parse, render, text

PATH: Final = "/email/1/suppressions"
SCOPE: Final = "email:manage"
MOST: Final = 1_000
"""Addresses in a group. Ten groups fit into a request; we fill one, so that a refused group harms no other."""
PAGE: Final = 1000
SECONDS: Final = 0.05
"""Between two requests: a hundred a second are allowed."""
_PLACE: Final = re.compile(r"suppressions\[0\]\.emailAddress\[(\d+)\]")


def add(client: Client, records: Sequence[Record]) -> Outcome:
    """Ask for addresses to be suppressed; all records are of one domain and reason."""
    return _change(client, "POST", records)


def remove(client: Client, records: Sequence[Record]) -> Outcome:
    """Ask for addresses to be allowed again; all records are of one domain and reason."""
    return _change(client, "DELETE", records)


def _change(client: Client, method: str, records: Sequence[Record]) -> Outcome:
    first = records[0]
    group = {"domainName": first.scope, "emailAddress": [one.address for one in records], "type": first.source}
    answer = client.ask(method, PATH, body=render({"suppressions": [group]}))
    return change_of(answer, SCOPE, lambda refusal: _reasons(refusal, len(records)))


def _reasons(answer: Exchanged, count: int) -> dict[int, str]:
    try:
        violations = items(members(parse(answer.body)).get("violations"))
    except NotJson:
        return {}
    found = {}
    for one in map(members, violations):
        place = _PLACE.match(text(one.get("property")))
        if place and int(place[1]) < count:
            found[int(place[1])] = text(one.get("violation")) or "refused"
    return found


def read(client: Client, domain: str, reason: str, *, page: int = 0, address: str = "") -> Read:
    """Read one page of the suppressions of a domain, the first is 0. The list says nowhere how many there are."""
    query = {"domainName": domain, "type": reason, "page": str(page), "size": str(PAGE)}
    if address:
        query["emailAddress"] = address
    return read_of(client.get(PATH, query), SCOPE, _page)


def _page(answer: Exchanged) -> Read:
    try:
        results = members(parse(answer.body)).get("results")
    except NotJson:
        results = None
    if not isinstance(results, list):
        return Unclear("its answer is no list of records")
    records = tuple(
        Record(
            address=text(one.get("emailAddress")),
            channel="email",
            scope=text(one.get("domainName")).lower(),
            source=text(one.get("type")),
            created=parse_date(text(one.get("createdDate"))),
        )
        for one in map(members, results)
    )
    return Page(records, more=len(results) >= PAGE)
