"""`dlr incidents`: what needs a person."""

from collections.abc import Callable
from typing import Any

import click

from cli.listed import ALL, LIMIT, print_found
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json
from cli.shown import plain
from cli.stored import ids, stored
from store import by_hand, views
from store.incidents import ACKNOWLEDGED, OPEN, WATCHING
from store.views import Found, Wanted


@click.group()
def incidents() -> None:
    """What needs a person."""


@incidents.command("list")
@ALL
@LIMIT
@format_option
def list_incidents(everything: bool, limit: int, form: str) -> None:
    """List incidents that go on, the last heard of first. Those below their threshold are shown with --all."""
    with stored() as at, at.database.reading() as connection:
        found = views.find_incidents(connection, Wanted(state=() if everything else (OPEN, ACKNOWLEDGED), limit=limit))
    headers = ("id", "severity", "state", "last", "times", "what", "next step")
    print_found(
        form, found, headers, _incident, "Nothing needs a person. `dlr incidents list --all` shows past ones, too."
    )


def _incident(row: Found) -> tuple[Any, ...]:
    last = shown(row["last_at"])
    return (row["id"], row["severity"], row["state"], last, row["count"], row["title"], row["next_step"])


@incidents.command("show")
@click.argument("number", metavar="ID")
@format_option
def show_incident(number: str, form: str) -> None:
    """Show one incident with examples."""
    with stored() as at, at.database.reading() as connection:
        row = views.incident(connection, ids([number])[0])
    if row is None:
        raise fail(f"There is no incident {number}. `dlr incidents list --all` lists them.", name=NOT_FOUND)
    if form == "json":
        print_json(plain(row))
        return
    click.echo(f"{row['id']}  {row['severity']}, {row['state']}: {row['title']}")
    click.echo(f"    {counted(row['count'], 'time')}, first {shown(row['first_at'])}, last {shown(row['last_at'])}")
    click.echo(f"    rule {row['rule']}, account {row['account']}")
    for example in row["examples"]:
        click.echo(f"    for example {example}")
    if row["next_step"]:
        click.echo(f"    next: {row['next_step']}")


@incidents.command("ack")
@click.argument("numbers", nargs=-1, required=True, metavar="ID...")
def ack(numbers: tuple[str, ...]) -> None:
    """Say that somebody works on it: no reminder follows."""
    _change(numbers, by_hand.acknowledge, "acknowledged", (OPEN,))


@incidents.command("resolve")
@click.argument("numbers", nargs=-1, required=True, metavar="ID...")
def resolve(numbers: tuple[str, ...]) -> None:
    """End it: if it happens again, a new incident opens."""
    _change(numbers, by_hand.resolve, "resolved", (OPEN, ACKNOWLEDGED, WATCHING))


def _change(numbers: tuple[str, ...], change: Callable[[Any, int], bool], done: str, states: tuple[str, ...]) -> None:
    wrong = []
    with stored() as at:
        for number in ids(numbers):
            if at.database.repeat(lambda connection, number=number: change(connection, number)):  # type: ignore[misc]
                click.echo(f"Incident {number} is {done}.")
            else:
                wrong.append(str(number))
    if wrong:
        raise fail(f"Not {done}, since there is none in state {' or '.join(states)}: {', '.join(wrong)}.")
