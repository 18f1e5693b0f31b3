"""`dlr suppress` and `dlr incidents`: who is left alone, and what needs a person."""

from collections.abc import Callable
from typing import Any

import click

from cli.listed import LIMIT, hashes, print_found, with_addresses
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json
from cli.reports import check_words
from cli.shown import plain, scope
from cli.stored import ids, stored
from store import by_hand, views
from store.incidents import ACKNOWLEDGED, OPEN, WATCHING
from store.suppressions import ACTIVE, PROPOSED
from store.views import Found, Wanted

_ALL = click.option("--all", "everything", is_flag=True, help="Also what is over.")
_RECIPIENT = click.option("--recipient", default="", metavar="ADDRESS", help="Only this number or e-mail address.")
_CHANNEL = click.option("--channel", default="", help="Only this channel's.")
_HELD = ("held",)


@click.group()
def suppress() -> None:
    """Whom nothing more is sent to, and why."""


@suppress.command("list")
@_CHANNEL
@_RECIPIENT
@click.option("--cause", default="", help="Only for this cause.")
@_ALL
@LIMIT
@format_option
def list_suppressions(channel: str, recipient: str, cause: str, everything: bool, limit: int, form: str) -> None:
    """List suppressions in force and proposed, the latest change first."""
    check_words(channel, cause)
    state = () if everything else (ACTIVE, PROPOSED, *_HELD)
    with stored() as at, at.database.reading() as connection:
        wanted = Wanted(
            channel=channel, state=state, cause=cause, recipients=hashes(at, connection, recipient), limit=limit
        )
        found = views.find_suppressions(connection, wanted)
        with_addresses(connection, found, "address")
    headers = ("id", "to", "state", "cause", "covers", "since", "until", "rule")
    print_found(
        form, found, headers, _suppression, "Nobody is suppressed. `dlr suppress list --all` shows past ones, too."
    )


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
            theirs = Wanted(recipients=hashes(at, connection, what), limit=1_000)
            numbers = [row["id"] for row in views.find_suppressions(connection, theirs)]
        found = [row for number in numbers if (row := views.suppression(connection, number)) is not None]
        with_addresses(connection, found, "address", at if reveal else None)
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


@click.group()
def incidents() -> None:
    """What needs a person."""


@incidents.command("list")
@_ALL
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
