"""`dlr incidents silence`: for how long no route hears of some incidents."""

from datetime import UTC, datetime
from typing import Any

import click

from cli.known import account_or_fail, is_rule
from cli.moments import AHEAD, shown
from cli.output import NOT_FOUND, fail, format_option, print_json, print_nothing, print_table
from cli.shown import plain
from cli.stored import Stored, ids, stored
from cli.who import who_option
from codes import CAUSES
from codes.suggest import did_you_mean
from store import incident_silences
from store.incident_silences import Silence
from store.schema import incidents


@click.command()
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
        with at.database.reading() as connection:
            account_or_fail(at, connection, account)
            is_known = not rule or is_rule(at, connection, rule, incidents.c.rule)
        scope = {"account": account, "cause": cause, "rule": rule, "facts": facts}
        span = {"since": datetime.now(UTC), "until": until, "why": why, "who": who}
        number = at.database.repeat(lambda connection: incident_silences.make(connection, **scope, **span))  # type: ignore[arg-type]
    if not is_known:
        # Rules of the service itself stand in no policy, so nobody knows them all.
        click.echo(f"There is no incident of a rule {rule!r} yet, and the policy has none of that name.", err=True)
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
