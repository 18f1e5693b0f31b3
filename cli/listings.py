"""`dlr retries`, `dlr suppress` and `dlr incidents`: what was planned, who is left alone, what needs a person."""

from collections.abc import Callable
from typing import Any

import click

from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json, print_nothing, print_table
from cli.reports import check_words
from cli.shown import address, plain, scope
from cli.stored import Stored, ids, stored
from store import views
from store.retries import OPEN as NOT_LEFT
from store.suppressions import ACTIVE, PROPOSED
from store.views import Found, Wanted

_LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
_ALL = click.option("--all", "everything", is_flag=True, help="Also what is over.")
_RECIPIENT = click.option("--recipient", default="", metavar="ADDRESS", help="Only this number or e-mail address.")
_CHANNEL = click.option("--channel", default="", help="Only this channel's.")
_NOT_ACTED = {"observed": "only recorded: the mode of resends is observe", "proposed": "waits for a person"}
_HELD = ("held",)


@click.group()
def retries() -> None:
    """Planned resends."""


@retries.command("list")
@_CHANNEL
@_RECIPIENT
@click.option("--message", default="", metavar="ID", help="Only of this message.")
@_ALL
@_LIMIT
@format_option
def list_retries(channel: str, recipient: str, message: str, everything: bool, limit: int, form: str) -> None:
    """List resends that have not left, the next due first."""
    check_words(channel, "")
    state = () if everything else NOT_LEFT
    with stored() as at, at.database.reading() as connection:
        wanted = Wanted(
            channel=channel,
            state=state,
            message_id=message,
            recipients=_hashes(at, connection, recipient),
            limit=limit,
        )
        found = views.find_retries(connection, wanted)
        _with_addresses(connection, found, "recipient")
    headers = ("due", "state", "message", "to", "attempt", "by", "rule", "note")
    _print(form, found, headers, _retry, "No resend is planned. `dlr retries list --all` shows past ones, too.")


def _retry(row: Found) -> tuple[Any, ...]:
    note = row["note"] or _NOT_ACTED.get(row["state"], "")
    return (
        shown(row["due_at"]) or "not planned",
        row["state"],
        row["message_id"],
        row["recipient"],
        row["attempt"],
        row["channel"] or "same channel",
        row["rule"],
        note,
    )


@click.group()
def suppress() -> None:
    """Whom nothing more is sent to, and why."""


@suppress.command("list")
@_CHANNEL
@_RECIPIENT
@click.option("--cause", default="", help="Only for this cause.")
@_ALL
@_LIMIT
@format_option
def list_suppressions(channel: str, recipient: str, cause: str, everything: bool, limit: int, form: str) -> None:
    """List suppressions in force and proposed, the latest change first."""
    check_words(channel, cause)
    state = () if everything else (ACTIVE, PROPOSED, *_HELD)
    with stored() as at, at.database.reading() as connection:
        wanted = Wanted(
            channel=channel, state=state, cause=cause, recipients=_hashes(at, connection, recipient), limit=limit
        )
        found = views.find_suppressions(connection, wanted)
        _with_addresses(connection, found, "address")
    headers = ("id", "to", "state", "cause", "covers", "since", "until", "rule")
    _print(form, found, headers, _suppression, "Nobody is suppressed. `dlr suppress list --all` shows past ones, too.")


def _suppression(row: Found) -> tuple[Any, ...]:
    until = shown(row["until"]) or "for good"
    return (row["id"], row["address"], row["state"], row["cause"], scope(row), shown(row["since"]), until, row["rule"])


@suppress.command("show")
@click.argument("what", metavar="ID|ADDRESS")
@click.option("--reveal", is_flag=True, help="Show the address in clear.")
@format_option
def show_suppression(what: str, reveal: bool, form: str) -> None:
    """Show one suppression, or all of one address: the evidence and every change."""
    with stored() as at, at.database.reading() as connection:
        numbers = ids([what]) if what.isdecimal() and len(what) > 15 else []
        if not numbers:
            hashes = _hashes(at, connection, what)
            numbers = [row["id"] for row in views.find_suppressions(connection, Wanted(recipients=hashes, limit=1_000))]
        found = [row for number in numbers if (row := views.suppression(connection, number)) is not None]
        _with_addresses(connection, found, "address", at if reveal else None)
    if not found:
        raise fail(
            "There is no such suppression, now or in the past. `dlr suppress list --all` lists them.", name=NOT_FOUND
        )
    if form == "json":
        print_json(plain(found))
        return
    for row in found:
        click.echo(f"{row['id']}  {row['address']}, {scope(row)}: {row['state']}")
        until = f"until {shown(row['until'])}" if row["until"] else "for good"
        click.echo(f"    because: {row['cause']}, by rule {row['rule'] or '-'} ({row['origin']})")
        click.echo(f"    since {shown(row['since'])}, {until}, {counted(row['times'], 'time')}")
        if reason := row["evidence"].get("reason"):
            click.echo(f"    evidence: {reason}")
        for change in row["audit"]:
            click.echo(f"    {shown(change['at'])}  {change['change']} by {change['who']}: {change['detail']}")


def _hashes(at: Stored, connection: Any, recipient: str) -> tuple[bytes, ...] | None:
    return tuple(at.hashes(connection, recipient).values()) if recipient else None


def _with_addresses(connection: Any, rows: list[Found], column: str, reveal: Stored | None = None) -> None:
    known = views.known_addresses(connection, (row[column] for row in rows))
    for row in rows:
        row[column] = address(known, row[column], reveal)
        row.pop("message_key", None)


def _print(
    form: str, found: list[Found], headers: tuple[str, ...], cells: Callable[[Found], tuple[Any, ...]], nothing: str
) -> None:
    if form == "json":
        print_json(plain(found))
    elif found:
        print_table(headers, [cells(row) for row in found])
    else:
        print_nothing(nothing)
