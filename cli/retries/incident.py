"""`dlr retries from-incident`: send again what was refused before it ever left, once the cause is put right."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import click
from sqlalchemy import Connection

from cli.asking import confirm
from cli.by_hand import record
from cli.listed import LIMIT
from cli.moments import iso, shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json, print_nothing, print_table
from cli.replay import opened_context
from cli.retries.standing import speaks
from cli.shown import address, plain
from cli.stored import ids, stored
from cli.terminal import say
from cli.who import who_option
from policy import Mode
from policy.leaving import Leave
from policy.rules import Limits
from store import budgets, people, views
from store.retries import FROM_INCIDENT
from store.views import Found
from workers.actions.resend import refused
from workers.actions.resend.never_left import Candidate, NeverLeft
from workers.actions.resend.preview import Previewer
from workers.actions.resend.situation import limits_of

_HEADERS: Final = ("message", "to", "by", "attempt", "until", "can be sent again")
_PRICES: Final = timedelta(days=90)
_MICROS: Final = 1_000_000
_PLANNED: Final = {
    Mode.ACT: "They leave as soon as a worker takes them, within the limits of the policy.",
    Mode.PROPOSE: "The mode of resends is propose: each waits for a person, or for `dlr retries run`.",
    Mode.OBSERVE: "The mode of resends is observe: nothing leaves before `dlr retries run`.",
}


@click.command("from-incident")
@click.argument("number", metavar="ID")
@click.option("--resend", is_flag=True, help="Plan those that can still be sent again.")
@who_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@LIMIT
@format_option
def from_incident(number: str, resend: bool, who: str, yes: bool, limit: int, form: str) -> None:
    """List what was refused before it left (no credit, a sender that is not registered), by the ID of the incident.

    Says of each message whether it can still be sent again and until when, and what all of them would cost. Put right
    first what the incident names. With --resend they are planned, each as one more attempt of its message.
    """
    now, person = datetime.now(UTC), who
    with stored() as at, opened_context(at) as context:
        rules = context.policy.rules()
        previewer = Previewer.of(at.settings, at.vault, context.policy.rules)
        with at.database.reading() as connection:
            incident = _incident(connection, ids([number])[0])
            ours = NeverLeft(incident["account"], rules, previewer)
            failures = refused.failures(connection, incident, context.codes)
            judged = ours.judge(connection, failures, now)
            able = [one for one in judged if isinstance(one.verdict, Leave)]
            cost = _cost(connection, incident["account"], able)
            rows = _rows(connection, judged[:limit])
        limits = limits_of(rules.limits, previewer.outlets.account(incident["account"]))
        if form == "text":
            _print(incident, judged, rows, able, cost, limits)
        planned = 0
        if resend and able:
            if not yes:
                confirm(f"Plan {counted(len(able), 'resend')}, {_in_words(cost)}?")
            planned = ours.plan(at.database.repeat, able, datetime.now(UTC))
            record("resends_planned_from_incident", who=person, incident_id=number, count=planned)
    if form == "json":
        told = {"incident_id": incident["id"], "messages": len(judged), "resendable": len(able), **_plain(cost)}
        print_json(plain({**told, "planned": planned, "mode": ours.mode.value, "rule": FROM_INCIDENT, "list": rows}))
    elif resend:
        click.echo(f"{counted(planned, 'resend is', 'resends are')} planned. {_PLANNED[ours.mode]}")


def _incident(connection: Connection, number: int) -> Found:
    found = views.incident(connection, number)
    if found is None:
        raise fail(f"There is no incident {number}. `dlr incidents list --all` lists them.", name=NOT_FOUND)
    return found


def _cost(connection: Connection, account: str, able: Sequence[Candidate]) -> tuple[Decimal, Decimal, str]:
    """Return what all cost at most, what one does, and in which currency: nobody knows a price before it is charged,
    so each counts as the dearest lately."""
    if not able:
        return Decimal(0), Decimal(0), ""
    price, currency = refused.dearest(connection, account, [one.channel for one in able])
    sent = Decimal(budgets.dearest(connection, account, datetime.now(UTC) - _PRICES)) / _MICROS
    each = max(price, sent)
    return each * len(able), each, currency


def _in_words(cost: tuple[Decimal, Decimal, str]) -> str:
    total, each, currency = cost
    if not each:
        return "of which nobody knows the price yet"
    return f"for at most about {total:.2f} {currency}".rstrip()


def _plain(cost: tuple[Decimal, Decimal, str]) -> dict[str, Any]:
    total, each, currency = cost
    return {"cost": f"{total:.4f}" if each else None, "price": f"{each:.4f}" if each else None, "currency": currency}


def _rows(connection: Connection, judged: Sequence[Candidate]) -> list[Found]:
    known = people.known(connection, (one.failure.recipient for one in judged))
    return [
        {
            "message_id": one.message_id,
            "recipient": address(known, one.failure.recipient),
            "channel": one.channel,
            "attempt": one.attempt,
            "until": iso(one.until),
            "resendable": isinstance(one.verdict, Leave),
            "why": "" if isinstance(one.verdict, Leave) else getattr(one.verdict, "why", ""),
            "answer": "yes" if isinstance(one.verdict, Leave) else speaks(one.verdict),
        }
        for one in judged
    ]


def _print(
    incident: Found,
    judged: Sequence[Candidate],
    rows: Sequence[Found],
    able: Sequence[Candidate],
    cost: tuple[Decimal, Decimal, str],
    limits: Limits,
) -> None:
    if not judged:
        print_nothing(f"No message of incident {incident['id']} is kept, or it is not about messages that failed.")
        return
    cells = ("message_id", "recipient", "channel", "attempt")
    judged_until = {id(row): shown(one.until) for row, one in zip(rows, judged, strict=False)}
    print_table(_HEADERS, [(*(row[name] for name in cells), judged_until[id(row)], row["answer"]) for row in rows])
    if len(judged) > len(rows):
        say(f"{len(judged) - len(rows)} more are not shown: --limit.", 4, err=True)
    count = counted(len(judged), "message was", "messages were")
    say(f"{incident['title']}: {count} refused, {len(able)} can still be sent again, {_in_words(cost)}.", 4, err=True)
    against = Counter(getattr(one.verdict, "why", "") for one in judged if not isinstance(one.verdict, Leave))
    for why, times in against.most_common(10):
        say(f"{times} cannot: {why}.", 4, err=True)
    if able:
        bounds = f"{limits.resends_per_day} resends, and {limits.money_per_day:g} in your currency, in 24 hours"
        say(f"The limits still hold as they leave ({bounds}); `--resend` plans them.", 4, err=True)
