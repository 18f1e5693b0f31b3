"""A text for Infobip's support about one incident: what they ask for first, so that nobody has to look it up."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from cli.moments import shown
from cli.output import counted
from cli.shown import code
from store import traffic
from store.ids import first_id_of
from store.moments import to_ms
from store.schema import decisions, messages, reports
from store.views import Found

_EXAMPLES: Final = 10
_LOOKED_AT: Final = 2_000
_FAIL: Final = "Messages fail"
_HOUR: Final = timedelta(hours=1)


def for_support(connection: Connection, incident: Found) -> str:
    """Return the text; empty where the incident is not about messages. It names message ids and no person."""
    if not incident["cause"]:
        return ""
    found = _reports(connection, incident)
    if not found:
        return ""
    lines = [
        _opening(incident["title"]),
        f"First {shown(incident['first_at'])}, last {shown(incident['last_at'])} (UTC), "
        f"{counted(incident['count'], 'report')}.",
        *_codes(found),
        *_shares(connection, incident),
        "Examples (message id, time of the report, network, sender, status, error):",
        *(f"  {_example(row)}" for row in found[:_EXAMPLES]),
        "Please tell us why, and what we can do about it.",
    ]
    return "\n".join(lines)


def _opening(title: str) -> str:
    """Return what it is about. Titles are made for the operator, who knows whose messages they are."""
    if title.startswith(_FAIL):
        return f"Messages of our account fail{title.removeprefix(_FAIL)}."
    return f"About messages of our account: {title}."


def _reports(connection: Connection, incident: Found) -> list[Found]:
    """Return some of the last reports of the incident's rule and scope. Ids follow time, so few rows are read."""
    columns = (reports.c.event_at, reports.c.facts, reports.c.channel, messages.c.message_id)
    joined = reports.join(decisions, decisions.c.report_id == reports.c.id)
    joined = joined.join(messages, messages.c.key == reports.c.message_key)
    span = reports.c.id.between(
        first_id_of(to_ms(incident["first_at"] - _HOUR)), first_id_of(to_ms(incident["heard_at"] + _HOUR))
    )
    mine = (reports.c.account == incident["account"], reports.c.cause == incident["cause"], span)
    query = select(*columns).select_from(joined).where(*mine, decisions.c.rule == incident["rule"])
    rows = connection.execute(query.order_by(reports.c.id.desc()).limit(_LOOKED_AT)).mappings()
    found = [{**row, "facts": json.loads(row["facts"])} for row in rows]
    wanted = {name: value for name, value in incident["facts"].items() if name in ("sender", "network")}
    return [row for row in found if all(_fact(row, name) in ("", value) for name, value in wanted.items())]


def _fact(row: Found, name: str) -> str:
    facts = row["facts"]
    return str(facts.get("mcc_mnc" if name == "network" else name, "") or "")


def _codes(found: list[Found]) -> list[str]:
    pairs: Counter[tuple[str, str]] = Counter(
        (code(row["facts"], "status"), code(row["facts"], "error")) for row in found
    )
    shares = [
        f"  {status or 'no status'}, {error or 'no error'}: {number * 100 // len(found)} % of {len(found)}"
        for (status, error), number in pairs.most_common(5)
    ]
    return ["Codes (status, error, share of those looked at):", *shares]


def _shares(connection: Connection, incident: Found) -> list[str]:
    """Return how much fails now, beside what is usual, on the channels and networks concerned."""
    found = [line for line in traffic.lines(connection, incident["last_at"] - _HOUR) if _is_of(line, incident)]
    told = []
    for line in sorted(found, key=lambda line: -line.failed)[:5]:
        usual = f", usually {line.past_failed * 100 / line.past_reports:.1f} %" if line.past_reports else ""
        where = f"{line.channel}, network {line.network}" if line.network else line.channel
        share = line.failed * 100 / max(1, line.reports)
        told.append(f"  {where}: {line.failed} of {line.reports} failed ({share:.1f} %{usual})")
    return ["Failures since an hour before the last report:", *told] if told else []


def _is_of(line: Any, incident: Found) -> bool:
    facts = incident["facts"]
    return bool(
        line.account == incident["account"]
        and line.failed
        and facts.get("network", line.network) == line.network
        and facts.get("channel", line.channel) == line.channel
    )


def _example(row: Found) -> str:
    status, error = code(row["facts"], "status"), code(row["facts"], "error")
    network, sender = _fact(row, "network"), _fact(row, "sender")
    return ", ".join(
        (row["message_id"], shown(row["event_at"]), network or "-", sender or "-", status or "-", error or "-")
    )
