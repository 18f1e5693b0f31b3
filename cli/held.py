"""`dlr suppress held`: groups that the guard against mass suppression keeps back until a person decides."""

from datetime import UTC, datetime
from typing import Any

import click

from cli.asking import confirm
from cli.groups import Listing
from cli.listed import print_found
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option
from cli.state import codes_or_fail, rules_or_fail
from cli.stored import Stored, ids, stored
from cli.who import who_option
from store import holds
from workers.maintain import guard


@click.group(cls=Listing)
def held() -> None:
    """Suppressions that came in such numbers that an outage is likelier: they block nobody until a person decides."""


@held.command("list")
@click.option("--all", "everything", is_flag=True, help="Also groups that were decided on.")
@format_option
def list_held(everything: bool, form: str) -> None:
    """List the groups, the newest first, with how many people each holds."""
    with stored() as at, at.database.reading() as connection:
        found = holds.groups(connection, everything=everything)
    headers = ("id", "state", "what", "held", "causes", "since", "of reports")
    print_found(form, found, headers, _cells, "Nothing is held.")


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(row["causes"].items()))
    what = f"{row['dimension']} {row['value']}"
    share = f"{row['candidates']} of {row['finals']} as it opened"
    return (row["id"], row["state"], what, row["held"], causes, shown(row["since"]), share)


@held.command()
@click.argument("number", metavar="GROUP")
@click.option("--yes", is_flag=True, help="Do not ask.")
@who_option
def release(number: str, yes: bool, who: str) -> None:
    """Suppress these people after all: the failures were real. Further ones of an hour are not held."""
    _decide(number, who, yes=yes, is_release=True)


@held.command()
@click.argument("number", metavar="GROUP")
@click.option("--yes", is_flag=True, help="Do not ask.")
@who_option
def drop(number: str, yes: bool, who: str) -> None:
    """Forget about these suppressions: it was an outage. A later failure of the same people counts anew."""
    _decide(number, who, yes=yes, is_release=False)


def _group(at: Stored, group: int) -> dict[str, Any] | None:
    with at.database.reading() as connection:
        return next((row for row in holds.groups(connection, everything=True) if row["id"] == group), None)


def _decide(number: str, who: str, *, yes: bool, is_release: bool) -> None:
    group = ids([number])[0]
    with stored() as at:
        found = _group(at, group)
        if found is not None and found["state"] == "open" and not found["swept"]:
            # It has just opened: who came before the surge showed belongs to it, and to the decision.
            guard(at.database, rules_or_fail(at.settings, codes_or_fail(at.settings)).limits, datetime.now(UTC))
            found = _group(at, group)
        if found is None or (found["state"] != "open" and not found["held"]):
            raise fail(f"There is no open group {group}. `dlr suppress held list` shows them.", name=NOT_FOUND)
        if found["state"] != "open":
            is_release = found["state"] == "released"  # it was broken off: what was decided then goes on
        for cause, count in sorted(found["causes"].items()):
            click.echo(f"{count}\t{cause}")
        what = f"{counted(found['held'], 'person', 'people')} of {found['dimension']} {found['value']}"
        verb = "Suppress" if is_release else "Drop the suppression of"
        if not yes:
            confirm(f"{verb} {what}?")
        now, done = datetime.now(UTC), 0
        at.database.repeat(lambda connection: holds.decide(connection, group, now, who, release=is_release))
        while part := at.database.repeat(lambda connection: holds.settle(connection, group, now, who)):
            done += part
    click.echo(f"{done} {'suppressed' if is_release else 'dropped'}.")
