"""The demo's end in words: what happened, and the command that explains it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cli.demo.findings import Findings
from cli.output import counted


def told(found: Findings, refused: Mapping[str, Any], dlr: str) -> Iterator[str]:
    """Yield the lines. `refused` is the status that the second send to a suppressed number got; `dlr` the command."""
    yield f"{found.reported} of them have been reported on. From the database:"
    yield ""
    yield from _resent(found, dlr)
    yield from _suppressed(found, refused, dlr)
    yield from _incident(found, dlr)


def _resent(found: Findings, dlr: str) -> Iterator[str]:
    row = found.resent
    assert row is not None
    seconds = max((row.sent_at - row.first_at).total_seconds(), 0.0)
    yield f"1. Sent again, and delivered: {row.message_id} failed for a moment."
    yield f"   {seconds:.0f} seconds after the report it left as {row.new_id}, by the rule {row.rule}, and arrived."
    yield f"     {dlr} message {row.message_id}"
    yield ""


def _suppressed(found: Findings, refused: Mapping[str, Any], dlr: str) -> Iterator[str]:
    row = found.suppressed
    assert row is not None
    error = (json.loads(row.evidence).get("error") or {}).get("name") or row.cause
    yield f"2. Never paid for again: the number of {row.message_id} does not exist ({error}), so it is suppressed."
    yield f"   The next send to it never left: the application was answered {refused.get('name', 'without a status')}."
    yield f"     {dlr} suppress show {row.id}"
    yield ""


def _incident(found: Findings, dlr: str) -> Iterator[str]:
    row = found.incident
    assert row is not None
    yield f"3. One incident for {row.count} failures: {row.title}."
    number = len(found.notified)
    yield f"   {counted(number, 'notification')} of it arrived, by the route of this demo: {found.notified[0]}"
    yield f"   What to do: {row.next_step}"
    yield f"     {dlr} incidents show {row.id}"
    yield ""
