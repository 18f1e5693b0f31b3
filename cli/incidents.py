"""`dlr incidents`: what needs a person, who was told of it, and for how long nobody is."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection

from cli.groups import Listing
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json, print_nothing, print_table
from cli.shown import plain
from cli.silences import silence
from cli.stored import ids, stored
from cli.support_text import for_support
from cli.who import who_option
from store import by_hand, incident_events, incident_silences, notices, views
from store.incidents import ACKNOWLEDGED, OPEN, WATCHING
from store.moments import from_ms
from store.views import Found, Wanted
from workers.actions.notify.message import meaning_of

_MINUTE = 60_000
_SPELLS = 5
_STANDS = {
    ACKNOWLEDGED: "somebody has acknowledged it already.",
    WATCHING: "it is below its threshold, so nobody was told of it.",
    OPEN: "it has changed meanwhile; try again.",
}
_LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
_ALL = click.option("--all", "everything", is_flag=True, help="Also what is over.")


@click.group(cls=Listing)
def incidents() -> None:
    """What needs a person."""


incidents.add_command(silence)


@incidents.command("list")
@_ALL
@_LIMIT
@format_option
def list_incidents(everything: bool, limit: int, form: str) -> None:
    """List incidents that go on, the last heard of first. Those below their threshold are shown with --all."""
    with stored() as at, at.database.reading() as connection:
        found = views.find_incidents(connection, Wanted(state=() if everything else (OPEN, ACKNOWLEDGED), limit=limit))
        quiet = incident_silences.lasting(connection, datetime.now(UTC))
    for row in found:
        row["silenced"] = any(one.covers(_Row(row)) for one in quiet)
        row["recent"], row["spells"] = _by_minute(row["recent"]), _spells(row)
    if form == "json":
        print_json(plain(found))
    elif found:
        headers = ("id", "severity", "state", "last", "times", "what", "next step")
        print_table(headers, [_incident(row) for row in found])
    else:
        nothing = "Nothing needs a person. `dlr incidents list --all` shows past ones, too."
        print_nothing("No incident is kept." if everything else nothing)


def _by_minute(recent: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return how often it was seen in each of the last minutes that it was seen in; they are kept by their number."""
    return [
        {"at": from_ms(int(minute) * _MINUTE), "count": count}
        for minute, count in sorted(recent.items(), key=lambda one: int(one[0]))
    ]


def _spells(row: Found) -> list[dict[str, Any]]:
    """Return when failures there counted against nobody, the earliest first."""
    end = row["resolved_at"]
    spells = ((from_ms(begin), from_ms(until)) for begin, until, _ in row["spells"])
    return [{"since": since, "until": until if end is None else min(until, end)} for since, until in spells]


class _Row:
    """A row as those see it who ask for its columns by name."""

    def __init__(self, row: Found) -> None:
        self.account, self.cause, self.rule = row["account"], row["cause"], row["rule"]
        self.facts = json.dumps(row["facts"])


def _incident(row: Found) -> tuple[Any, ...]:
    state = f"{row['state']}, silenced" if row["silenced"] and row["state"] == OPEN else row["state"]
    return (row["id"], row["severity"], state, shown(row["last_at"]), row["count"], row["title"], row["next_step"])


@incidents.command("show")
@click.argument("number", metavar="ID")
@click.option("--support", is_flag=True, help="Print only the text for Infobip's support.")
@format_option
def show_incident(number: str, support: bool, form: str) -> None:
    """Show one incident: what it means, what to do, who was told, and a text for Infobip's support."""
    with stored() as at, at.database.reading() as connection:
        row = views.incident(connection, ids([number])[0])
        if row is None:
            raise fail(f"There is no incident {number}. `dlr incidents list --all` lists them.", name=NOT_FOUND)
        row["recent"], row["spells"] = _by_minute(row["recent"]), _spells(row)
        row["events"] = incident_events.of(connection, row["id"])
        row["notices"] = notices.history(connection, row["id"])
        row["support"] = for_support(connection, row)
    if form == "json":
        print_json(plain(row))
    elif support:
        click.echo(row["support"] or "It is not about messages, so there is nothing to ask Infobip about.")
    else:
        _show(row)


def _show(row: Found) -> None:
    click.echo(f"{row['id']}  {row['severity']}, {row['state']}: {row['title']}")
    click.echo(f"    {counted(row['count'], 'time')}, first {shown(row['first_at'])}, last {shown(row['last_at'])}")
    click.echo(f"    rule {row['rule']}, account {row['account']}")
    if meaning := meaning_of(row["cause"]):
        click.echo(f"    means: {meaning}")
    if row["next_step"]:
        click.echo(f"    next: {row['next_step']}")
    for one in row["spells"][-_SPELLS:]:
        click.echo(f"    failures there count against nobody from {shown(one['since'])} until {shown(one['until'])}")
    for example in row["examples"]:
        click.echo(f"    for example {example}")
    for event in row["events"]:
        by = f" by {event['who']}" if event["who"] else ""
        click.echo(f"    {shown(event['at'])}  {event['change']}{by}{': ' if event['detail'] else ''}{event['detail']}")
    for notice in row["notices"]:
        click.echo(f"    {_told(notice)}")
    if row["support"]:
        click.echo("\nFor Infobip's support:\n")
        click.echo(row["support"])


def _told(notice: Found) -> str:
    what = f"{notice['route']} of {notice['change']}"
    match notice["state"]:
        case "done" if notice["last_error"]:
            return f"not told {what}: {notice['last_error']}"
        case "done":
            return f"told {what} at {shown(notice['at'])}"
        case "given_up":
            return f"never told {what}: {notice['last_error']}"
        case _:
            tried = (
                f", tried {counted(notice['attempts'], 'time')}: {notice['last_error']}" if notice["attempts"] else ""
            )
            return f"will tell {what} at {shown(notice['at'])}{tried}"


@incidents.command("ack")
@click.argument("numbers", nargs=-1, required=True, metavar="ID...")
@who_option
def ack(numbers: tuple[str, ...], who: str) -> None:
    """Say that somebody works on it: no reminder follows."""
    now = datetime.now(UTC)
    _change(numbers, lambda connection, number: by_hand.acknowledge(connection, number, who, now), "acknowledged")


@incidents.command("resolve")
@click.argument("numbers", nargs=-1, required=True, metavar="ID...")
@click.option("--why", default="", help="What is told with it.")
@who_option
def resolve(numbers: tuple[str, ...], why: str, who: str) -> None:
    """End it: if it happens again, a new incident opens."""
    now = datetime.now(UTC)
    _change(numbers, lambda connection, number: by_hand.resolve(connection, number, who, now, why=why), "resolved")


def _change(numbers: tuple[str, ...], change: Callable[[Connection, int], bool], done: str) -> None:
    wrong = []
    with stored() as at:
        for number in ids(numbers):
            if at.database.repeat(lambda connection, number=number: change(connection, number)):  # type: ignore[misc]
                click.echo(f"Incident {number} is {done}.")
            else:
                with at.database.reading() as connection:
                    wrong.append(f"{number}: {_why_not(views.incident(connection, number))}")
    if wrong:
        raise fail("\n".join((f"Not {done}:", *wrong)))


def _why_not(row: Found | None) -> str:
    if row is None:
        return "there is no such incident. `dlr incidents list --all` lists them."
    return _STANDS.get(row["state"], "it is over already; if it happens again, a new incident opens.")
