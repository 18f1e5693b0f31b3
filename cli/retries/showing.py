"""`dlr retries show`: one resend, or all of a message, with every question that is asked before it leaves."""

from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import Connection

from cli.moments import iso, shown
from cli.output import counted, format_option, print_json
from cli.replay import opened_context
from cli.retries.filters import named
from cli.retries.listing import tell_pauses, until, with_waits
from cli.retries.standing import speaks, stands
from cli.shown import address, plain
from cli.stored import Stored, stored
from cli.terminal import say
from policy.leaving import Hold
from store import people, steering, views
from store.resending import Resend
from store.views import Found
from workers.actions.resend import held
from workers.actions.resend.preview import Preview, Previewer

_MICROS = 1_000_000
_INNER = ("message_key", "owner", "lease_until", "sent_by", "cost_micros", "currency")


@click.command()
@click.argument("name", metavar="ID")
@click.option("--reveal", is_flag=True, help="Show the recipient's address in clear.")
@format_option
def show(name: str, reveal: bool, form: str) -> None:
    """Show a resend by its own id, or all of a message by that one's: what it waits for, and what would happen now.

    Every question that is asked before a resend leaves is asked now, without sending anything.
    """
    now = datetime.now(UTC)
    with stored() as at, opened_context(at) as context:
        previewer = Previewer.of(at.settings, at.vault, context.policy.rules)
        with at.database.reading() as connection:
            numbers = named(at, connection, [name])
            rows = views.retries_with(connection, numbers)
            with_waits(connection, rows, now)
            resends = steering.find(connection, numbers)
            pauses = held.standing(connection, now)
            told = [_told(at, connection, previewer, row, resends[row["id"]], now, reveal) for row in rows]
    if form == "json":
        print_json(plain(told))
        return
    tell_pauses(pauses)
    for one in told:
        _print(one)


def _told(
    at: Stored, connection: Connection, previewer: Previewer, row: Found, one: Resend, now: datetime, reveal: bool
) -> Found:
    known = people.known(connection, [row["recipient"]])
    seen = previewer.look(connection, one, now)
    send = seen.known.send
    is_open = row["state"] in steering.NOT_OVER
    kept = {name: value for name, value in row.items() if name not in _INNER}
    return {
        **kept,
        "channel": row["channel"] or row["sent_by"] or "",
        "recipient": address(known, row["recipient"], at if reveal else None),
        "content": _content(seen),
        "endpoint": send.endpoint if send else "",
        "purpose": seen.known.situation.purpose.value,
        "not_after": seen.known.situation.not_after,
        "cost": _cost(row, seen),
        "failed_with": _report(connection, row["report_id"]),
        "now": stands(seen.verdict) if is_open else "",
        "checks": [_check(question, verdict) for question, verdict in seen.checks] if is_open else [],
    }


def _content(seen: Preview) -> str:
    if seen.known.situation.has_content:
        return "kept"
    return "erased, or never kept" if seen.known.send is not None else "not registered"


def _cost(row: Found, seen: Preview) -> dict[str, Any]:
    """Return what it cost as it left, else what it is reckoned to cost; the amount as text."""
    left = bool(row["posts"])
    micros, currency = (
        (row["cost_micros"], row["currency"]) if left else (seen.known.cost.micros, seen.known.cost.currency)
    )
    return {"amount": f"{micros / _MICROS:.4f}" if micros else "", "currency": currency, "left": left}


def _report(connection: Connection, number: int) -> str:
    reason = views.latest_decisions(connection, [number]).get(number, {}).get("reason", "")
    return str(reason)


def _check(question: str, verdict: Any) -> Found:
    until = verdict.until if isinstance(verdict, Hold) else None
    return {"question": question, "passes": verdict is None, "answer": speaks(verdict), "until": iso(until)}


def _print(one: Found) -> None:
    by = f" by {one['channel']}" if one["channel"] else ""
    click.echo(
        f"{one['id']}  attempt {one['attempt']} of {one['message_id']} to {one['recipient']}{by}: {one['state']}"
    )
    if one["waits_for"]:
        _line("waits for", f"{one['waits_for']}, until {until(one)}".replace("until at most", "at most until"))
    if one["why"]:
        _line("why", one["why"])
    if one["failed_with"]:
        _line("planned", f"{one['failed_with']} Rule {one['rule']}, account {one['account']}.")
    else:
        _line("planned", f"rule {one['rule']}, account {one['account']}")
    _line("times", _times(one))
    _line("so far", _so_far(one))
    _line("content", ", ".join(part for part in (one["content"], one["endpoint"], one["purpose"]) if part))
    if one["cost"]["amount"]:
        word = "reckoned as it left" if one["cost"]["left"] else "as it would be reckoned now"
        _line("cost", f"{one['cost']['amount']} {one['cost']['currency']} ({word})".replace("  ", " "))
    for check in one["checks"]:
        _line("ok" if check["passes"] else "no", f"{check['question']}: {check['answer']}")
    if one["now"]:
        _line("now", one["now"])


def _times(one: Found) -> str:
    parts = [f"due {shown(one['due_at'])}" if one["due_at"] else "no time is set"]
    parts += [f"given up {shown(one['give_up_at'])}"]
    parts += [f"worthless after {shown(one['not_after'])}"] if one["not_after"] else []
    return ", ".join((*parts, f"changed {shown(one['changed_at'])}"))


def _so_far(one: Found) -> str:
    if not one["posts"] and not one["tries"]:
        return "never claimed to be sent, or held each time"
    parts = [f"posted {counted(one['posts'], 'time')} as {one['new_id']}"] if one["posts"] else []
    parts += [f"last {shown(one['sent_at'])}"] if one["sent_at"] and one["posts"] else []
    parts += [f"did not leave {counted(one['tries'], 'time')}"] if one["tries"] else []
    parts += [f"looked up {counted(one['looks'], 'time')}"] if one["looks"] else []
    return ", ".join(parts)


def _line(label: str, text: str) -> None:
    say(text, 15, f"    {label:10} ")
