"""`dlr suppress sync`: how our list and Infobip's lists are kept in step, and what would be done."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import click

from cli.moments import iso, shown
from cli.output import counted, fail, format_option, print_json
from cli.stored import Stored, stored
from cli.sync_state import SETTINGS, WORDS, AccountState, ListState, states
from config.accounts import load_accounts
from infobip.outbound.lists import blocklist
from policy.mirror import BLOCKLIST, EMAIL, PUSH
from store import listed, sync_runs

_ADDING: Final = {
    "to_push": "to push",
    "sent": "sent, not seen there yet",
    "verified": "there",
    "missing": "accepted and missing",
    "refused": "refused",
}
_REMOVING: Final = {
    "to_push": "to take off",
    "sent": "asked to go",
    "missing": "should be gone and still there",
    "refused": "refused to go",
}
_ACCOUNT: Final = click.option("--account", default="", help="Only this account.")


@click.group(invoke_without_command=True)
@_ACCOUNT
@format_option
@click.pass_context
def sync(ctx: click.Context, account: str, form: str) -> None:
    """Show how our list and Infobip's lists are kept in step: what is on, how far it is, and what is in the way.

    Nothing is on until a setting says so: DLR_SYNC_BLOCKLIST, DLR_SYNC_EMAIL_DOMAINS, DLR_SYNC_PUSH, DLR_SYNC_PULL.
    """
    if ctx.invoked_subcommand is not None:
        return
    found = _found(account)
    if form == "json":
        print_json([_plain(state) for state in found])
        return
    for state in found:
        for line in _lines(state):
            click.echo(line)


def _found(account: str) -> list[AccountState]:
    with stored() as at, at.database.reading() as connection:
        found = states(at.settings, connection, datetime.now(UTC))
    chosen = [state for state in found if account in ("", state.account)]
    if not chosen:
        raise fail(f"There is no account {account!r}. DLR_ACCOUNTS names the accounts besides main.", 2)
    return chosen


def _lines(state: AccountState) -> Iterator[str]:
    yield f"{state.account}:"
    if state.problem:
        again = f" It is tried again at {shown(state.wait_until)}." if state.wait_until else ""
        yield f"  stands still: {state.problem.rstrip('.')}. {state.next_step}{again}".rstrip()
    for name, one in state.lists.items():
        yield f"  {WORDS[name]}: {_in_words(name, one, state)}"
    yield f"  reading the Blocklist: {_reading(state)}"
    if state.not_listed:
        reasons = ", ".join(f"{count} {why}" for why, count in sorted(state.not_listed.items()))
        yield f"  not pushed: {reasons}"
    for why, count in state.refusals.items():
        yield f"  refused: {count}, {why or 'without a reason'}"


def _in_words(name: str, one: ListState, state: AccountState) -> str:
    if not one.on:
        more = "" if name != EMAIL else " (name the sender's domains)"
        would = "" if name == EMAIL else f"; {counted(one.belongs, 'entry would', 'entries would')} go there"
        kept = sum(one.add.values())
        left = f"; {kept} from before are left as they are" if kept else ""
        return f"off ({SETTINGS[name]}){more}{would}{left}"
    parts = [f"{one.add[key]} {word}" for key, word in _ADDING.items() if one.add.get(key)]
    parts += [f"{one.remove[key]} {word}" for key, word in _REMOVING.items() if one.remove.get(key)]
    parts += [f"{one.theirs} stand there by others"] if one.theirs else []
    waiting = one.belongs - sum(one.add.values()) - one.theirs
    if not parts:
        parts = [f"{counted(waiting, 'entry belongs', 'entries belong')} there"] if waiting > 0 else ["nothing to do"]
    ends = "" if state.switches.ends or name == PUSH else f"; entries with an end stay here ({SETTINGS['ends']})"
    return f"on: {', '.join(parts)}{ends}"


def _reading(state: AccountState) -> str:
    run = state.run
    if not state.switches.pull:
        return f"off ({SETTINGS['pull']})"
    if run is None or (run.pulled_at is None and not state.reads_now):
        return "on, not read yet"
    if state.reads_now and run.scan_since is None:
        return f"on, at page {run.page + 1} since {shown(run.scan_started_at)}"
    return f"on, last read at {shown(run.pulled_at)}: {counted(run.pulled, 'record')}"


def _plain(state: AccountState) -> dict[str, Any]:
    run, on = state.run, state.switches
    return {
        "account": state.account,
        "problem": state.problem,
        "next_step": state.next_step,
        "wait_until": iso(state.wait_until),
        "lists": {
            name: {
                "on": one.on,
                "setting": SETTINGS[name],
                "belongs": one.belongs,
                "add": dict(one.add),
                "remove": dict(one.remove),
                "theirs": one.theirs,
            }
            for name, one in state.lists.items()
        },
        "ends": on.ends,
        "pull": {
            "on": on.pull,
            "reads_now": state.reads_now,
            "last_at": iso(run.pulled_at) if run else None,
            "records": run.pulled if run else 0,
        },
        "not_listed": dict(state.not_listed),
        "refusals": dict(state.refusals),
    }


@sync.command()
@_ACCOUNT
@format_option
def plan(account: str, form: str) -> None:
    """Say what would be written to Infobip's lists, with the settings as they are; nothing is sent."""
    found = _found(account)
    plans: list[dict[str, Any]] = [
        {"account": state.account, "lists": [_planned(name, state) for name in state.lists]} for state in found
    ]
    if form == "json":
        print_json(plans)
        return
    for made in plans:
        click.echo(f"{made['account']}:")
        for one in made["lists"]:
            click.echo(f"  {_plan_line(one)}")


def _planned(name: str, state: AccountState) -> dict[str, Any]:
    one, most = state.lists[name], {BLOCKLIST: state.switches.batch, EMAIL: 1_000, PUSH: 1}[name]
    known = sum(one.add.values()) - one.add.get("to_push", 0)
    adds = max(0, one.belongs - known - (one.theirs if name == BLOCKLIST else 0))
    removes = one.remove.get("to_push", 0)
    requests = -(-adds // most) + -(-removes // most)
    pace = {BLOCKLIST: blocklist.SECONDS, EMAIL: 0.05, PUSH: 0.1}[name]
    return {
        "list": name,
        "on": one.on,
        "setting": SETTINGS[name],
        "to_add": adds,
        "to_remove": removes,
        "requests": requests,
        "seconds": round(requests * pace, 1),
    }


def _plan_line(one: dict[str, Any]) -> str:
    word, off = WORDS[one["list"]], "" if one["on"] else f"off; with {one['setting']} "
    if one["list"] == EMAIL and not one["on"]:
        return f"{word}: off; {one['setting']} names the sender's domains"
    if not one["requests"]:
        return f"{word}: {off}nothing would change"
    adds = f"about {counted(one['to_add'], 'entry', 'entries')} would be added"
    adds += f" and {one['to_remove']} taken off" if one["to_remove"] else ""
    return f"{word}: {off}{adds}, in {counted(one['requests'], 'request')} within about {one['seconds']:g} s"


@sync.command()
@_ACCOUNT
def now(account: str) -> None:
    """Let the worker go on at once, read the Blocklist anew, and wait no longer for what was in the way."""
    with stored() as at:
        for name in _accounts(at, account):
            at.database.repeat(lambda connection, of=name: sync_runs.at_once(connection, of, datetime.now(UTC)))  # type: ignore[misc]
    click.echo("The worker goes on within seconds; `dlr suppress sync` shows how far it is.")


@sync.command()
@_ACCOUNT
def retry(account: str) -> None:
    """Ask Infobip once more for what it refused, and for what it accepted and never showed."""
    count = 0
    with stored() as at:
        for name in _accounts(at, account):
            count += at.database.repeat(lambda connection, of=name: listed.again(connection, of, datetime.now(UTC)))  # type: ignore[misc]
    click.echo(f"{counted(count, 'entry is', 'entries are')} tried again.")


@sync.command()
@_ACCOUNT
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(account: str, yes: bool) -> None:
    """Believe that very many entries are rightly gone from Infobip's Blocklist.

    Each is then looked for once more by itself, one a second, and lifted here where it is gone. Opt-outs stay.
    """
    if not yes:
        click.confirm(
            "Entries that came from Infobip's Blocklist and are gone there will be lifted here. Go on?", abort=True
        )
    with stored() as at:
        for name in _accounts(at, account):
            at.database.repeat(
                lambda connection, of=name: sync_runs.at_once(connection, of, datetime.now(UTC), allow_doubts=True)  # type: ignore[misc]
            )
    click.echo("The list is read once more, and what is gone there is lifted here; `dlr suppress sync` shows how far.")


def _accounts(at: Stored, account: str) -> list[str]:
    names = list(load_accounts(at.settings))
    if account and account not in names:
        raise fail(f"There is no account {account!r}. There are: {', '.join(names)}.", 2)
    return [account] if account else names
