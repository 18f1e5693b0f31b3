"""`dlr suppress`: whom nothing more is sent to, and why; the changes by hand are in modules of their own."""

from importlib import import_module
from typing import Any, Final

import click

from cli.groups import Listing
from cli.listed import ALL, CHANNEL, LIMIT, RECIPIENT, hashes, print_found, with_addresses
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json
from cli.reports import check_words
from cli.shown import cut_words, plain, scope
from cli.stored import Stored, ids, stored
from codes import CAUSES
from store import trail, views
from store.entering import BY_HAND
from store.suppressions import STANDING
from store.views import Found, Wanted

# Imported when asked for, as in `cli.commands`.
_MORE: Final = {
    "add": "cli.suppress_change:add",
    "approve": "cli.suppress_lift:approve",
    "check": "cli.suppress_check:check",
    "export": "cli.suppress_files:export",
    "held": "cli.held:held",
    "import": "cli.suppress_files:import_file",
    "lift": "cli.suppress_lift:lift",
    "protect": "cli.suppress_change:protect",
    "requests": "cli.suppress_lift:requests",
    "sync": "cli.suppress_sync:sync",
    "undo": "cli.suppress_change:undo",
}


class _Suppress(Listing):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_MORE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MORE:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = _MORE[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=_Suppress)
def suppress() -> None:
    """Whom nothing more is sent to, and why."""


@suppress.command("list")
@CHANNEL
@RECIPIENT
@click.option("--cause", default="", help="Only for this cause.")
@click.option(
    "--state",
    type=click.Choice(["active", "proposed", "held", "lifted", "dropped"]),
    help="Only in this state.",
)
@ALL
@LIMIT
@format_option
def list_suppressions(
    channel: str, recipient: str, cause: str, state: str | None, everything: bool, limit: int, form: str
) -> None:
    """List suppressions in force, proposed and held, the latest change first."""
    check_words(channel, cause if cause != BY_HAND else "")
    states = (state,) if state else () if everything else STANDING
    with stored() as at, at.database.reading() as connection:
        wanted = Wanted(
            channel=channel, state=states, cause=cause, recipients=hashes(at, connection, recipient), limit=limit
        )
        found = views.find_suppressions(connection, wanted)
        with_addresses(connection, found, "address")
    for row in found:
        row.pop("audit_head", None)
    headers = ("id", "to", "state", "cause", "covers", "since", "until", "rule")
    nothing = "Nobody is suppressed. `dlr suppress list --all` shows past ones, too."
    print_found(form, found, headers, _cells, nothing)


def _cells(row: Found) -> tuple[Any, ...]:
    until = shown(row["until"]) or "for good"
    return (row["id"], row["address"], row["state"], row["cause"], scope(row), shown(row["since"]), until, row["rule"])


@suppress.command("show")
@click.argument("what", metavar="ID|ADDRESS")
@click.option("--reveal", is_flag=True, help="Show the address in clear.")
@format_option
def show_suppression(what: str, reveal: bool, form: str) -> None:
    """Show one suppression, or all of one address: the evidence and every change."""
    with stored() as at, at.database.reading() as connection:
        found = find_entries(at, connection, what)
        for row in found:
            verdict = trail.verify(connection, row["id"])
            row["audit_head"], row["trail"] = verdict.head.hex(), verdict.problem or "whole"
        with_addresses(connection, found, "address", at if reveal else None)
    if form == "json":
        print_json(plain(found))
        return
    for row in found:
        _tell(row)


def find_entries(at: Stored, connection: Any, what: str) -> list[Found]:
    """Return the entries that an id or an address names, past ones too, each with its `audit`; or end the command."""
    numbers = ids([what]) if what.isdecimal() and len(what) > 15 else []
    if not numbers:
        wanted = Wanted(recipients=hashes(at, connection, what), limit=1_000)
        numbers = [row["id"] for row in views.find_suppressions(connection, wanted)]
    found = [row for number in numbers if (row := views.suppression(connection, number)) is not None]
    if not found:
        raise fail(
            "There is no such suppression, now or in the past. `dlr suppress list --all` lists them.", name=NOT_FOUND
        )
    return found


_NOT_BLOCKING: Final = {
    "proposed": "It blocks nothing until a person agrees: dlr proposals accept {id}",
    "held": "It blocks nothing until a person decides on its group: dlr suppress held list",
}


def _tell(row: Found) -> None:
    click.echo(f"{row['id']}  {row['address']}, {scope(row)}: {row['state']}")
    if note := _NOT_BLOCKING.get(row["state"]):
        click.echo(f"    {note.format(id=row['id'])}")
    until = f"until {shown(row['until'])}" if row["until"] else "for good"
    why = CAUSES[row["cause"]].summary if row["cause"] in CAUSES else "somebody entered it"
    click.echo(f"    because: {row['cause']} ({why}), by rule {row['rule'] or '-'} ({row['origin']})")
    click.echo(f"    since {shown(row['since'])}, {until}, {counted(row['times'], 'time')}")
    if row["confirmed_at"]:
        click.echo(f"    confirmed by a blocklist's refusal at {shown(row['confirmed_at'])}")
    if reason := row["evidence"].get("reason"):
        click.echo(f"    evidence: {reason}")
    for change in row["audit"]:
        click.echo(f"    {shown(change['at'])}  {_in_words(change)}")
    if row["trail"] != "whole":
        click.echo(f"    THE TRAIL IS NOT WHOLE: {row['trail']}")


def _in_words(change: Found) -> str:
    """Return who did what, and by which rule or why. The reason of an entry by hand is part of its evidence."""
    return f"{change['change']} by {change['who']}" + (f": {change['detail']}" if change["detail"] else "")


@suppress.command("audit")
@click.argument("number", metavar="ID")
@format_option
def audit(number: str, form: str) -> None:
    """Show every change of one suppression, and verify the chain that they make. Exit code 1 where it is broken."""
    with stored() as at, at.database.reading() as connection:
        row = views.suppression(connection, ids([number])[0])
        if row is None:
            raise fail(f"There is no suppression {number}. `dlr suppress list --all` lists them.", name=NOT_FOUND)
        verdict = trail.verify(connection, row["id"])
    told = {"id": row["id"], "audit": row["audit"], "whole": not verdict.problem, "problem": verdict.problem}
    told |= {"cut": verdict.cut, "cut_until": verdict.cut_until}
    if form == "json":
        print_json(plain({**told, "head": verdict.head.hex()}))
    else:
        for change in row["audit"]:
            mark = "  <-- here" if change["id"] == verdict.at else ""
            click.echo(f"{shown(change['at'])}  {change['hash'].hex()[:16]}  {_in_words(change)}{mark}")
    if verdict.problem:
        raise fail(f"The trail of {number} is not whole: {verdict.problem}. Compare it with a backup.")
    if form != "json":
        if verdict.cut_until is not None:
            click.echo(cut_words(verdict.cut, verdict.cut_until))
        click.echo(f"The chain of {counted(verdict.rows, 'change')} is whole; its head is {verdict.head.hex()}.")
        click.echo("Noted elsewhere, the head proves later that nothing before it was changed.", err=True)
