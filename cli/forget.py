"""`dlr forget RECIPIENT`: remove what is stored about one person."""

import click

from cli.moments import shown
from cli.output import fail, format_option, print_json
from cli.shown import plain, scope
from cli.stored import stored
from config.mask import mask
from reports import normalise
from store import forget as removal
from workers.forget import Forgotten, forget_person


@click.command()
@click.argument("recipient")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
def forget(recipient: str, yes: bool, form: str) -> None:
    """Remove what is stored about the person at RECIPIENT: a phone number or an e-mail address.

    Their items leave the stored callbacks, their reports, resends and address leave the tables. Opt-outs stay, under
    a keyed hash and without evidence, so that nobody writes to them again. This cannot be undone.
    """
    masked = mask(normalise(recipient))
    with stored() as at:
        with at.database.reading() as connection:
            accounts = at.accounts(connection)
            hashes = list(at.hashes(connection, recipient).values())
            known = removal.counts(connection, hashes)
        if not yes:
            about = ", ".join(f"{count} {name}" for name, count in known.items() if count) or "no rows"
            click.echo(f"Stored about {masked}: {about}, and perhaps items of raw callbacks.", err=True)
            click.confirm("Remove it for good?", abort=True, err=True)
        done = forget_person(at.database, at.vault, recipient, accounts)
        with at.database.reading() as connection:
            kept = removal.kept(connection, hashes)
    if form == "json":
        entries = [
            {name: row[name] for name in ("cause", "channel", "sender", "state", "since", "until")} for row in kept
        ]
        numbers = {"items": done.items, "callbacks": done.bodies, "waiting": done.waiting}
        print_json({"recipient": masked, "removed": dict(done.rows), **numbers, "kept": plain(entries)})
    else:
        _tell(masked, done)
        for row in kept:
            click.echo(f"Kept as a keyed hash: {row['cause']} on {scope(row)} since {shown(row['since'])}.")
        if kept:
            click.echo("So nobody writes to this person again; no evidence is left with it.")
    if done.waiting:
        raise fail(
            f"{done.waiting} callbacks that mention this person wait to be processed, and were left alone, for one may "
            "be an opt-out. Run this again once `dlr doctor` finds nothing waiting."
        )


def _tell(masked: str, done: Forgotten) -> None:
    gone = [f"{count} {name}" for name, count in done.rows.items() if count]
    if done.bodies:
        gone.append(f"{done.items} items in {done.bodies} raw callbacks, which were rewritten without them")
    click.echo(f"{masked} is forgotten: {', '.join(gone)}." if gone else f"Nothing more is stored about {masked}.")
