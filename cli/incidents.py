"""`dlr incidents`: what needs a person, who was told of it, and for how long nobody is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection

from cli.moments import AHEAD, shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json, print_nothing, print_table
from cli.shown import plain
from cli.stored import Stored, ids, stored
from cli.support_text import for_support
from cli.who import who_option
from codes import CAUSES
from codes.suggest import did_you_mean
from store import by_hand, incident_events, incident_silences, notices, views
from store.incident_silences import Silence
from store.incidents import ACKNOWLEDGED, OPEN, WATCHING
from store.views import Found, Wanted
from workers.actions.notify.message import meaning_of

_LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
_ALL = click.option("--all", "everything", is_flag=True, help="Also what is over.")


@click.group()
def incidents() -> None:
    """What needs a person."""


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
    if form == "json":
        print_json(plain(found))
    elif found:
        headers = ("id", "severity", "state", "last", "times", "what", "next step")
        print_table(headers, [_incident(row) for row in found])
    else:
        nothing = "Nothing needs a person. `dlr incidents list --all` shows past ones, too."
        print_nothing("No incident is kept." if everything else nothing)


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
    _change(
        numbers, lambda connection, number: by_hand.acknowledge(connection, number, who, now), "acknowledged", (OPEN,)
    )


@incidents.command("resolve")
@click.argument("numbers", nargs=-1, required=True, metavar="ID...")
@click.option("--why", default="", help="What is told with it.")
@who_option
def resolve(numbers: tuple[str, ...], why: str, who: str) -> None:
    """End it: if it happens again, a new incident opens."""
    now = datetime.now(UTC)
    _change(
        numbers,
        lambda connection, number: by_hand.resolve(connection, number, who, now, why=why),
        "resolved",
        (OPEN, ACKNOWLEDGED, WATCHING),
    )


def _change(
    numbers: tuple[str, ...], change: Callable[[Connection, int], bool], done: str, states: tuple[str, ...]
) -> None:
    wrong = []
    with stored() as at:
        for number in ids(numbers):
            if at.database.repeat(lambda connection, number=number: change(connection, number)):  # type: ignore[misc]
                click.echo(f"Incident {number} is {done}.")
            else:
                wrong.append(str(number))
    if wrong:
        raise fail(f"Not {done}, since there is none in state {' or '.join(states)}: {', '.join(wrong)}.")


@incidents.command("silence")
@click.option("--cause", default="", help="Incidents with this cause.")
@click.option("--rule", default="", help="Incidents of this rule.")
@click.option("--account", default="", help="Only of this account.")
@click.option("--only", multiple=True, metavar="NAME=VALUE", help="Only where it is grouped so: sender=Shop.")
@click.option("--until", type=AHEAD, help="Its end: how long from now (90m, 24h, 7d) or a time to come.")
@click.option("--why", default="", help="The reason, for those who wonder.")
@click.option("--list", "listed", is_flag=True, help="List the silences that last.")
@click.option("--lift", "lifted", default="", metavar="ID", help="End this one now.")
@who_option
@format_option
def silence(
    cause: str,
    rule: str,
    account: str,
    only: tuple[str, ...],
    until: datetime | None,
    why: str,
    listed: bool,
    lifted: str,
    who: str,
    form: str,
) -> None:
    """Let no route hear of some incidents until a time. They are listed all the same, and told if they outlast it."""
    with stored() as at:
        if listed:
            _list_silences(at, form)
            return
        if lifted:
            (number,) = ids([lifted])
            if not at.database.repeat(lambda connection: incident_silences.lift(connection, number, datetime.now(UTC))):
                raise fail(
                    f"No silence {number} lasts. `dlr incidents silence --list` shows those that do.", 1, NOT_FOUND
                )
            click.echo(f"Silence {number} is over.")
            return
        facts = _facts(cause, rule, only, until)
        assert until is not None
        scope = {"account": account, "cause": cause, "rule": rule, "facts": facts}
        span = {"since": datetime.now(UTC), "until": until, "why": why, "who": who}
        number = at.database.repeat(lambda connection: incident_silences.make(connection, **scope, **span))  # type: ignore[arg-type]
    click.echo(f"Silence {number} lasts until {shown(until)}. `dlr incidents silence --lift {number}` ends it.")


def _facts(cause: str, rule: str, only: tuple[str, ...], until: datetime | None) -> dict[str, str]:
    """Check what a silence is to cover, and return its facts."""
    if not (cause or rule):
        raise fail("Say what to silence: --cause or --rule. `dlr incidents show ID` names both.", 2)
    if cause and cause not in CAUSES:
        raise fail(f"There is no cause {cause!r}. {did_you_mean(cause, CAUSES)}".rstrip(), 2)
    if until is None:
        raise fail("Say when it ends: --until 4h, or a time to come.", 2)
    pairs = [one.partition("=") for one in only]
    for name, sign, value in pairs:
        if not (name and sign and value):
            raise fail(f"{name!r} is no NAME=VALUE, such as sender=Shop or network=23410.", 2)
    return {name: value for name, _, value in pairs}


def _list_silences(at: Stored, form: str) -> None:
    with at.database.reading() as connection:
        found = incident_silences.lasting(connection, datetime.now(UTC))
    if form == "json":
        print_json([plain({name: getattr(one, name) for name in Silence.__slots__}) for one in found])
    elif found:
        print_table(("id", "covers", "until", "why", "by"), [_silence(one) for one in found])
    else:
        print_nothing("No silence lasts.")


def _silence(one: Silence) -> tuple[Any, ...]:
    named = {"account": one.account, "cause": one.cause, "rule": one.rule, **one.facts}
    covers = ", ".join(f"{name} {value}" for name, value in named.items() if value)
    return (one.id, covers, shown(one.until), one.why, one.who)
