"""`dlr retries cancel` and `dlr retries run`: end resends, or make them due now."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click
from sqlalchemy import Connection

from cli.asking import confirm
from cli.by_hand import reason, record
from cli.output import counted, fail
from cli.replay import opened_context
from cli.retries.filters import filters, is_narrowed, named, wanted
from cli.retries.standing import stands
from cli.stored import Stored, stored
from cli.who import who_option
from store import steering
from store.resending import UNKNOWN, Resend
from workers.actions.resend.preview import Previewer

_YES: Final = click.option("--yes", is_flag=True, help="Do not ask.")
# So many are looked at one by one after they were made due; the rest is what `dlr retries list` shows.
_LOOKED_AT: Final = 20
_HELD: Final = frozenset({"claimed", "sending", "unknown"})


@click.command()
@click.argument("names", nargs=-1, metavar="[ID...]")
@filters
@click.option("--reason", "why", default="", help="Why; it is kept with each.")
@who_option
@_YES
def cancel(names: tuple[str, ...], why: str, who: str, yes: bool, **given: Any) -> None:
    """End resends for good: those with these IDs (their own, or a message's), or all that fit the filters.

    What they would have said is erased. One of which nobody knows whether it left is left as it is.
    """
    person, said = who, reason(why)
    note = f"cancelled by {person}" + (f": {said}" if said else "")
    with stored() as at:
        chosen = _chosen(at, names, given, steering.STOPPABLE)
        able = _able(chosen, steering.STOPPABLE, "cancelled")
        if able and not yes:
            confirm(f"Cancel {_summed(able)}? This cannot be undone.")
        now = datetime.now(UTC)
        done = _in_parts(at, able, lambda connection, ids: steering.cancel(connection, ids, now, note))
        _record("resends_cancelled", done, person, said)
        click.echo(f"{len(done)} of {len(chosen)} cancelled.")
        _tell_missed(at, [one for one in able if one.id not in done], len(chosen) - len(able))


@click.command()
@click.argument("names", nargs=-1, metavar="[ID...]")
@filters
@click.option("--not-in-portal", is_flag=True, help="Also post again what is in doubt: Infobip's portal has no trace.")
@click.option("--reason", "why", default="", help="Why; it is kept with each until it leaves.")
@who_option
@_YES
def run(names: tuple[str, ...], not_in_portal: bool, why: str, who: str, yes: bool, **given: Any) -> None:
    """Make resends due now: those with these IDs (their own, or a message's), or all that fit the filters.

    Those that are only observed or proposed act then. Everything is asked once more as each leaves, so nobody who is
    suppressed gets anything, nothing leaves after its time, and pauses, limits and budgets hold it all the same.

    One in doubt is posted once more, under the same id, only if it is named by its ID and you say that Infobip's
    portal does not show it.
    """
    person, said = who, reason(why)
    note = f"made due by {person}" + (f": {said}" if said else "")
    with stored() as at:
        startable = (*steering.STARTABLE, UNKNOWN) if names else steering.STARTABLE
        chosen = _chosen(at, names, given, startable)
        able = _able(chosen, startable, "made due")
        doubted = [one for one in able if one.state == UNKNOWN]
        plain = [one for one in able if one.state != UNKNOWN]
        if plain and not yes:
            confirm(f"Make {_summed(plain)} due now?")
        sure = [one for one in doubted if _is_not_there(one, not_in_portal)]
        now = datetime.now(UTC)
        done = _in_parts(at, plain, lambda connection, ids: steering.start(connection, ids, now, note))
        done |= _post_again(at, sure, now, person)
        _record("resends_made_due", done, person, said)
        click.echo(f"{len(done)} of {len(chosen)} made due.")
        _tell_standing(at, [one for one in able if one.id in done])
        missed = [one for one in (*plain, *sure) if one.id not in done]
        _tell_missed(at, missed, len(chosen) - len(plain) - len(sure))


def _chosen(at: Stored, names: Sequence[str], given: dict[str, Any], states: tuple[str, ...]) -> list[Resend]:
    """Return what was named, or what the filters fit."""
    if bool(names) == is_narrowed(given):
        raise fail("Say which: by ids, or by filters such as --message, --rule or --state. `dlr retries list`.", 2)
    with at.database.reading() as connection:
        if names:
            numbers = named(at, connection, names)
        else:
            numbers = steering.chosen(connection, wanted(at, connection, given, states))
        found = steering.find(connection, numbers)
    chosen = [found[number] for number in numbers if number in found]
    if names and len(chosen) > len(names):
        # A message's id stands for all its attempts: those that are over are none that anybody meant.
        chosen = [one for one in chosen if one.state in steering.NOT_OVER] or chosen
    if not chosen:
        click.echo("No resend fits. `dlr retries list` shows those that are not over.", err=True)
    return chosen


def _able(chosen: Sequence[Resend], states: tuple[str, ...], done: str) -> list[Resend]:
    """Return those in one of these states; say of the others why they cannot be `done`."""
    able = []
    for one in chosen:
        if one.state in states:
            able.append(one)
        else:
            doubted = "it is in doubt, so it has to be named by its own id"
            click.echo(f"{one.id}: {doubted if one.state == UNKNOWN else _why_not(one, done)}", err=True)
    return able


def _why_not(one: Resend, done: str) -> str:
    if one.state in _HELD:
        return f"a worker holds it at this moment ({one.state}), so it is not {done}: try again in a minute"
    return f"it is {one.state} already, so it is not {done}"


def _summed(resends: Sequence[Resend]) -> str:
    states = Counter(one.state for one in resends)
    people = len({one.recipient for one in resends})
    listed = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return f"{counted(len(resends), 'resend')} to {counted(people, 'person', 'people')} ({listed})"


def _is_not_there(one: Resend, said: bool) -> bool:
    if said:
        return True
    name = one.new_id or one.id
    try:
        sure = click.confirm(
            f"Nobody knows whether {name} reached Infobip. Look it up in Infobip's portal: is it certainly not there",
            err=True,
        )
    except click.Abort:
        click.echo("", err=True)
        sure = False
    if not sure:
        click.echo(f"{one.id}: left in doubt. --not-in-portal says that Infobip does not show it.", err=True)
    return sure


def _post_again(at: Stored, sure: Sequence[Resend], now: datetime, person: str) -> set[int]:
    note = f"posted once more under the same id: {person} says that Infobip's portal does not show it"
    return {
        one.id
        for one in sure
        if at.database.repeat(lambda connection, one=one: steering.post_again(connection, one.id, now, note))  # type: ignore[misc]
    }


def _in_parts(
    at: Stored, resends: Sequence[Resend], change: Callable[[Connection, list[int]], set[int]], at_once: int = 500
) -> set[int]:
    """Change many in small transactions, so that no callback waits for them."""
    done: set[int] = set()
    for start in range(0, len(resends), at_once):
        numbers = [one.id for one in resends[start : start + at_once]]
        done |= at.database.repeat(lambda connection, numbers=numbers: change(connection, numbers))  # type: ignore[misc]
    return done


def _record(event: str, done: set[int], person: str, said: str) -> None:
    if done:
        record(event, who=person, reason=said, count=len(done), retry_ids=[str(one) for one in sorted(done)[:100]])


def _tell_standing(at: Stored, done: Sequence[Resend]) -> None:
    """Say what becomes of what was made due, as things stand."""
    with opened_context(at) as context:
        previewer = Previewer.of(at.settings, at.vault, context.policy.rules)
        for one in done[:_LOOKED_AT]:
            with at.database.reading() as connection:
                seen = previewer.look(connection, one, datetime.now(UTC))
            click.echo(f"{one.id}: {stands(seen.verdict)}")
    if len(done) > _LOOKED_AT:
        click.echo(f"{len(done) - _LOOKED_AT} more: `dlr retries list` shows what becomes of them.", err=True)


def _tell_missed(at: Stored, missed: Sequence[Resend], others: int) -> None:
    """Name what moved on meanwhile, and end with a failure where not all was done."""
    with at.database.reading() as connection:
        now_are = steering.find(connection, [one.id for one in missed])
    for one in missed:
        standing = now_are.get(one.id)
        click.echo(f"{one.id}: {_why_not(standing, 'changed') if standing else 'it is gone'}", err=True)
    if missed or others:
        raise fail("Not all was done; each that was not is named above.")
