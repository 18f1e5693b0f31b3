"""`dlr codes`: search the code tables, check them, and see what a change of them means."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from cli.output import Failure, counted, fail, format_option, print_json, print_nothing, print_table
from cli.state import codes_or_fail, settings_or_fail
from codes import CAUSES, Row, TableError, load
from codes.diff import diff as differences
from codes.suggest import did_you_mean


class _SearchByDefault(click.Group):
    """A group whose first word may be a text to search for instead of a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["search", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_SearchByDefault)
def codes() -> None:
    """Search the tables of Infobip's status and error codes: `dlr codes [TEXT|ID]`."""


@codes.command()
@click.argument("what", required=False, default="", metavar="[TEXT|ID]")
@click.option("--family", default="", help="Only families whose name contains this text.")
@click.option("--cause", default="", help="Only codes with this cause.")
@format_option
def search(what: str, family: str, cause: str, form: str) -> None:
    """List the codes that TEXT or ID names; without it, all."""
    if cause and cause not in CAUSES:
        raise fail(f"There is no cause {cause!r}. {did_you_mean(cause, CAUSES)}", 2)
    rows = codes_or_fail(settings_or_fail()).tables.rows
    families = sorted({row.family for row in rows})
    if family and not any(family.lower() in name for name in families):
        raise fail(f"There is no family {family!r}. {did_you_mean(family, families)}", 2)
    found = [
        row
        for row in rows
        if _is_about(row, what.strip()) and family.lower() in row.family and (not cause or row.cause == cause)
    ]
    if form == "json":
        print_json([_as_object(row) for row in found])
    elif found:
        cells = [(row.family, row.kind, row.id, row.name, row.group, row.cause, row.advice) for row in found]
        print_table(("family", "kind", "id", "name", "group", "cause", "what it means and what to do"), cells)
    else:
        wanted = _asked(what, family, cause)
        print_nothing(f"No code {wanted}. `dlr codes` lists them all; a report with an unknown one is handled mildly.")


@codes.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option
def check(file: Path | None, form: str) -> None:
    """Check the tables in force, or FILE as an overlay over the shipped ones. Exit code 2 where one has mistakes."""
    local = file or settings_or_fail().codes_local
    try:
        tables = load(local)
    except TableError as error:
        raise _mistakes(error) from None
    except OSError as error:
        raise fail(f"The overlay cannot be read: {error}", 2) from None
    if form == "json":
        print_json({"codes": len(tables.rows), "smtp": len(tables.smtp), "hash": tables.hash, "faults": []})
        return
    overlay = f", with {local} over them" if local else ""
    found = f"{counted(len(tables.rows), 'code')} and {counted(len(tables.smtp), 'SMTP pattern')}"
    click.echo(f"{found} are in order{overlay} ({tables.hash}).")


@codes.command()
@click.argument("other", required=False, type=click.Path(exists=True, path_type=Path))
@format_option
def diff(other: Path | None, form: str) -> None:
    """Show what changes in causes: by your overlay, or by OTHER (a folder of tables, or an overlay file).

    A folder stands for another release's tables and is compared with the present ones; a file is laid over them.
    """
    local = settings_or_fail().codes_local
    try:
        if other is not None and other.is_dir():
            old, new = load(folder=other), load(local)
        else:
            old, new = load(), load(other or local)
    except TableError as error:
        raise _mistakes(error) from None
    except OSError as error:
        raise fail(f"The tables cannot be read: {error}", 2) from None
    changes = list(differences(old, new))
    if form == "json":
        print_json([dataclasses.asdict(change) for change in changes])
    elif changes:
        print_table(("code", "before", "after"), [(c.label, c.before or "(new)", c.after or "(gone)") for c in changes])
    else:
        click.echo("No cause changes.")


def _mistakes(error: TableError) -> Failure:
    faults = [{"where": f"line {fault.line}", **dataclasses.asdict(fault)} for fault in error.faults]
    return fail(f"{counted(len(faults), 'mistake')}:\n{error}", 2, details={"faults": faults})


def _asked(what: str, family: str, cause: str) -> str:
    """Say what was looked for in vain."""
    parts = [f"matches {what!r}"] if what else []
    parts += [f"is of a family like {family!r}"] if family else []
    parts += [f"has the cause {cause!r}"] if cause else []
    return " and ".join(parts) or "is there"


def _is_about(row: Row, what: str) -> bool:
    if not what:
        return True
    if what.isdecimal():
        return row.id == int(what)
    text = what.casefold()
    return any(text in part.casefold() for part in (row.name, *row.aliases, row.cause, row.advice))


def _as_object(row: Row) -> dict[str, Any]:
    return dataclasses.asdict(row)
