"""`dlr forget RECIPIENT`: remove what is stored about one person."""

from collections.abc import Mapping
from typing import Final

import click

from cli.asking import confirm
from cli.moments import shown
from cli.output import counted, fail, format_option, print_json
from cli.shown import plain, scope
from cli.stored import stored
from config.mask import mask
from reports import normalise
from reports.recipient import fault_of
from store import forget as removal
from store import listed
from workers.forget import Forgotten, forget_person

# The forms for one of those names that do not just lose their last letter.
_ONE: Final = {
    "addresses": "address",
    "days of failure": "day of failure",
    "examples in incidents": "example in an incident",
    "records of Infobip's lists": "record of Infobip's lists",
    "texts typed by hand": "text typed by hand",
}


@click.command()
@click.argument("recipient")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
def forget(recipient: str, yes: bool, form: str) -> None:
    """Remove what is stored about the person at RECIPIENT: a phone number or an e-mail address.

    Their items leave the stored callbacks, their reports, resends and address leave the tables. Opt-outs stay, under
    a keyed hash and without evidence, so that nobody writes to them again; so does what may still stand on Infobip's
    lists, which only a person can take off now, in its portal. This cannot be undone.
    """
    masked = mask(normalise(recipient))
    with stored() as at:
        with at.database.reading() as connection:
            accounts = at.accounts(connection)
            hashes = list(at.hashes(connection, recipient).values())
            known = removal.counts(connection, hashes)
        if not any(known.values()) and (fault := fault_of(recipient)):
            click.echo(f"{fault} Nothing is stored under it as it is written.", err=True)
        if not yes:
            about = ", ".join(_listed(known)) or "no rows"
            click.echo(f"Stored about {masked}: {about}, and perhaps items of raw callbacks.", err=True)
            confirm("Remove it for good?")
        done = forget_person(at.database, at.vault, recipient, accounts)
        with at.database.reading() as connection:
            kept = removal.kept(connection, hashes)
            there = listed.count_of(connection, hashes)
    if form == "json":
        entries = [
            {name: row[name] for name in ("cause", "channel", "sender", "state", "since", "until")} for row in kept
        ]
        numbers = {"items": done.items, "callbacks": done.bodies, "waiting": done.waiting}
        kept_too = {"kept": plain(entries), "listed": there}
        print_json({"recipient": masked, "removed": dict(done.rows), **numbers, **kept_too})
    else:
        _tell(masked, done)
        for row in kept:
            click.echo(f"Kept as a keyed hash: {row['cause']} on {scope(row)} since {shown(row['since'])}.")
        if kept:
            click.echo("So nobody writes to this person again; no evidence is left with it.")
        if there:
            click.echo(
                f"{counted(there, 'record')} of Infobip's lists {'stays' if there == 1 else 'stay'} known by that "
                "hash, since it may still stand there: remove it in Infobip's portal."
            )
    if done.waiting:
        wait = "callback that mentions this person waits", "callbacks that mention this person wait"
        raise fail(
            f"{counted(done.waiting, *wait)} to be processed, and nothing was taken out there: it may be an opt-out. "
            "Run this again once `dlr doctor` finds nothing waiting."
        )


def _listed(rows: Mapping[str, int]) -> list[str]:
    return [counted(count, _ONE.get(name, name.removesuffix("s")), name) for name, count in rows.items() if count]


def _tell(masked: str, done: Forgotten) -> None:
    gone = _listed(done.rows)
    if done.bodies:
        gone.append(f"{counted(done.items, 'item')} in {counted(done.bodies, 'raw callback')} (rewritten)")
    click.echo(f"{masked} is forgotten: {', '.join(gone)}." if gone else f"Nothing more is stored about {masked}.")
