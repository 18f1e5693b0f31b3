"""`dlr retries pause`, `resume` and `pauses`: stop resends in a scope, or all of them, for a while."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
from sqlalchemy import Connection

from cli.by_hand import reason, record
from cli.known import account_or_fail
from cli.moments import shown
from cli.output import counted, fail, format_option, print_json, print_nothing, print_table
from cli.retries.listing import tell_pauses
from cli.retries.waits import described
from cli.shown import plain
from cli.stored import Stored, stored
from cli.who import who_option
from config.accounts import MAIN
from policy.durations import parse_duration
from store import pauses, steering
from store.pauses import ACCOUNT, ALL, Pause, Scope
from workers import pausing as surges
from workers.actions.resend import held

_KINDS: Final = ("network", "sender", "domain", "brand")
_SCOPE: Final = click.option(
    "--scope",
    "text",
    default="",
    metavar="KIND=VALUE",
    help="network=26201, sender=Shop, domain=example.com, 'brand=Shop 310260' (a brand at one carrier), or all.",
)
_ACCOUNT: Final = click.option("--account", default="", help="Only this account's; alone it pauses the whole account.")


@click.command()
@_ACCOUNT
@_SCOPE
@click.option("--for", "span", default="", metavar="TIME", help="So long, such as 90m, 2h or 7d; else until resumed.")
@click.option("--reason", "why", required=True, help="Why; everybody who asks is told.")
@who_option
def pause(account: str, text: str, span: str, why: str, who: str) -> None:
    """Stop resends: all of them, or those of a scope. Nothing is lost; they leave after `dlr retries resume`.

    Without a scope and an account nothing at all is resent any more: that is the emergency switch.
    """
    whose, scope = _target(account, text)
    now, person, said = datetime.now(UTC), who, reason(why)
    if not said:
        raise fail("Say why: --reason 'the carrier is down'.", 2)
    until = now + _span(span) if span else None
    with stored() as at:
        _know(at, whose)
        at.database.repeat(lambda c: pauses.pause(c, whose, scope, now, until, said, person))
        with at.database.reading() as connection:
            [made] = pauses.find(connection, whose, [scope])
            numbers = _numbers(connection, made)
    record("resends_paused", who=person, reason=said, account=whose, scope=str(scope), until=shown(made.until))
    end = f"until {shown(made.until)}" if made.until else "until `dlr retries resume`"
    click.echo(f"Paused: {described(made)}, {end}. {_holds(numbers)}")
    # Kept to the millisecond.
    if until is not None and (made.until is None or made.until - until > timedelta(seconds=1)):
        click.echo("It was paused for longer already, which stays: resume ends it sooner.", err=True)
    if scope.kind == "brand" and " " not in scope.value:
        hint = "A brand is paused at one carrier: write 'brand=NAME MCCMNC', or sender=NAME for every network."
        click.echo(hint, err=True)


def _holds(numbers: tuple[int, int]) -> str:
    planned, due = numbers
    if not planned:
        return "It holds nothing that is planned now, and whatever is planned from now on."
    holds = counted(planned, "planned resend is", "planned resends are")
    return f"{holds} held ({due} due within the hour), and whatever is planned from now on."


@click.command()
@_ACCOUNT
@_SCOPE
@who_option
def resume(account: str, text: str, who: str) -> None:
    """Let resends leave again that `pause`, or the policy, had stopped: say the same account and scope."""
    whose, scope = _target(account, text)
    now, person = datetime.now(UTC), who
    with stored() as at:
        _know(at, whose)
        done = at.database.repeat(lambda connection: _lift(connection, whose, scope, now))
        with at.database.reading() as connection:
            others = held.standing(connection, now)
            if done is None:
                tell_pauses(others)
                raise fail(f"Nothing was paused there: {_named(whose, scope)}. `dlr retries pauses` lists what is.")
            lifted, due = done
            scoped = [one for one in held.about_to_leave(connection) if one.is_in(lifted)]
            kept = sum(held.held_by(one, others) is not None for one in scoped)
    record("resends_resumed", who=person, account=whose, scope=str(scope), released=len(scoped) - kept)
    put_off = counted(due, "had been put off by it and is", "had been put off by it and are")
    free = counted(len(scoped) - kept, "planned resend is", "planned resends are")
    what = "the stop of all resends is lifted" if lifted.scope.kind == ALL else described(lifted)
    click.echo(f"Resumed: {what}. {free} released; {put_off} due now.")
    if kept:
        click.echo(f"{counted(kept, 'more is', 'more are')} held by other pauses:", err=True)
        tell_pauses(others)


def _lift(connection: Connection, account: str, scope: Scope, now: datetime) -> tuple[Pause, int] | None:
    found = pauses.find(connection, account, [scope])
    if not found or not pauses.lift(connection, account, scope):
        return None
    # One that a surge of failures began has an incident, which is over with it.
    surges.end(connection, found[0], now)
    return found[0], steering.release(connection, account, scope, now)


@click.command("pauses")
@format_option
def list_pauses(form: str) -> None:
    """List what is paused: by whom, why, until when, and how many planned resends each holds."""
    now = datetime.now(UTC)
    with stored() as at, at.database.reading() as connection:
        found = [_row(connection, one, now) for one in pauses.everywhere(connection)]
    if form == "json":
        print_json(plain(found))
    elif found:
        headers = ("what", "account", "holds", "since", "until", "by", "why")
        print_table(headers, [_cells(row) for row in found])
    else:
        print_nothing("Nothing is paused.")


def _row(connection: Connection, one: Pause, now: datetime) -> dict[str, Any]:
    is_over = one.until is not None and one.until <= now
    return {
        "account": one.account,
        "scope": one.scope.kind,
        "value": one.scope.value,
        "what": described(one) + (", over" if is_over else ""),
        "holds": 0 if is_over else _numbers(connection, one)[0],
        "since": one.since,
        "until": one.until,
        "step": one.step,
        "by": one.who,
        "why": one.why,
    }


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    end = shown(row["until"]) or "somebody resumes it"
    return row["what"], row["account"] or "every one", row["holds"], shown(row["since"]), end, row["by"], row["why"]


def _numbers(connection: Connection, made: Pause) -> tuple[int, int]:
    """Return how many planned resends a pause holds, and how many of them are due within the hour."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    mine = [one for one in held.about_to_leave(connection) if one.is_in(made)]
    return len(mine), sum(one.due_at is not None and one.due_at <= soon for one in mine)


def _target(account: str, text: str) -> tuple[str, Scope]:
    """Return account and scope that the options name. An empty account: every one."""
    if text in ("", ALL):
        return (account, Scope(ACCOUNT)) if account else ("", Scope(ALL))
    kind, _, value = text.partition("=")
    kind, value = kind.strip().lower(), " ".join(value.split())
    if kind == ACCOUNT and value:
        return value, Scope(ACCOUNT)
    if kind not in _KINDS or not value:
        raise fail(f"{text!r} is no scope: write {', '.join(f'{kind}=...' for kind in _KINDS)}, or all.", 2)
    return account or MAIN, Scope(kind, value.lower() if kind == "domain" else value)


def _know(at: Stored, account: str) -> None:
    """End the command at an account that nobody ever heard of: its pause would hold nothing."""
    with at.database.reading() as connection:
        account_or_fail(at, connection, account)


def _span(text: str) -> timedelta:
    try:
        span = parse_duration(text)
    except ValueError as error:
        raise fail(f"--for: {error}", 2) from None
    if not span:
        raise fail("--for: a pause of no time holds nothing.", 2)
    return span


def _named(account: str, scope: Scope) -> str:
    return f"{scope}" + (f" of account {account}" if account else "")
