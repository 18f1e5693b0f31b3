"""`dlr retries list`: what waits for whom, until when, and why."""

from datetime import UTC, datetime
from typing import Any, Final

import click
from sqlalchemy import Connection

from cli.listed import LIMIT, print_found, with_addresses
from cli.moments import shown
from cli.output import format_option
from cli.retries.filters import filters, wanted
from cli.retries.waits import Waits, described, waits
from cli.stored import Stored, stored
from cli.terminal import say
from store import steering, views
from store.pauses import Pause
from store.views import Found
from workers.actions.resend import held

_HEADERS: Final = ("id", "state", "message", "to", "attempt", "by", "rule", "waits for", "until", "why")
_INNER: Final = ("owner", "lease_until", "sent_by")


@click.command("list")
@filters
@click.option("--all", "everything", is_flag=True, help="Also what is over.")
@LIMIT
@format_option
def list_retries(everything: bool, limit: int, form: str, **given: Any) -> None:
    """List resends that are not over, the next due first: for whom each waits, until when, and why.

    What is paused is said first, on standard error; `dlr retries pauses` lists it for programs.
    """
    now = datetime.now(UTC)
    with stored() as at, at.database.reading() as connection:
        found = look(at, connection, given, now, everything=everything, limit=limit)
        pauses = held.standing(connection, now)
    if form == "text":
        tell_pauses(pauses)
    nothing = "No resend waits. `dlr retries list --all` shows past ones, too."
    print_found(form, found, _HEADERS, _cells, nothing)


def look(
    at: Stored, connection: Connection, given: dict[str, Any], now: datetime, *, everything: bool, limit: int
) -> list[Found]:
    """Return the rows that the options ask for, each with `waits_for`, `until`, `at_most` and `why`."""
    otherwise = () if everything else steering.NOT_OVER
    found = views.find_retries(connection, wanted(at, connection, given, otherwise, limit))
    with_waits(connection, found, now)
    with_addresses(connection, found, "recipient")
    for row in found:
        row["channel"] = row["channel"] or row["sent_by"] or ""
        for name in _INNER:
            row.pop(name)
    return found


def with_waits(connection: Connection, found: list[Found], now: datetime) -> None:
    """Add to each row what it waits for."""
    pauses = held.standing(connection, now)
    scoped = held.scoped(connection, [row["id"] for row in found]) if pauses else {}
    for row in found:
        one = scoped.get(row["id"])
        waiting: Waits = waits(row, held.held_by(one, pauses) if one else None, now)
        row["waits_for"], row["until"], row["why"], row["at_most"] = waiting


def _cells(row: Found) -> tuple[Any, ...]:
    return (
        row["id"],
        row["state"],
        row["message_id"],
        row["recipient"],
        row["attempt"],
        row["channel"],
        row["rule"],
        row["waits_for"],
        until(row),
        row["why"],
    )


def until(row: Found) -> str:
    """Return until when a row waits, in words."""
    if row["until"] is None:
        return "" if not row["waits_for"] else "somebody acts"
    return f"at most {shown(row['until'])}" if row["at_most"] else shown(row["until"])


def tell_pauses(pauses: list[Pause]) -> None:
    """Say in words what is paused, where anything is."""
    for one in pauses:
        end = f"until {shown(one.until)}" if one.until else "until somebody resumes it"
        say(f"Paused: {described(one)}, {end}, by {one.who} since {shown(one.since)}: {one.why}", 4, err=True)
