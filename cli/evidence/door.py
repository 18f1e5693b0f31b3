"""`dlr evidence RECIPIENT`: everything about one person in one document."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.evidence import file, head, text
from cli.evidence.pack import Gatherer
from cli.output import fail, format_option, print_json
from cli.shown import plain
from cli.state import codes_or_fail
from cli.stored import Stored, stored
from cli.suppress_change import addresses
from cli.who import who_option
from codes.suggest import did_you_mean
from config.mask import mask
from reports import normalise
from reports.recipient import fault_of
from store import evidence as rows
from store.views import Found


@click.command()
@click.argument("recipient", metavar="RECIPIENT|-")
@click.option("--account", default="", help="Only this account; without it, every one that knows the person.")
@click.option("--reveal", is_flag=True, help="Show addresses in clear.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write a file that only you can read.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@who_option
@format_option
def evidence(recipient: str, account: str, reveal: bool, output: Path | None, force: bool, who: str, form: str) -> None:
    """Make a pack of all that is known of a person, ready for an auditor.

    What was sent, what came back, what was decided by which rule, and opt-outs and lifts with who and when. With - the
    address is read from standard input, so that it is not kept by your shell. Exit code 1 where a trail is broken.
    """
    given = addresses((recipient,))
    if len(given) != 1:
        raise fail("A pack is about one person: give one address.", 2)
    if force and output is None:
        raise fail("--force replaces a file: name it with --output.", 2)
    if output is not None:
        file.check(output, force=force)
    with stored() as at:
        pack = _pack(at, given[0], account, who, reveal=reveal)
    if not pack["known"] and (fault := fault_of(given[0])):
        click.echo(f"{fault} Nothing is stored under it as it is written.", err=True)
    _hand_out(pack, form, output, force=force)
    broken = [str(row["id"]) for row in pack["suppressions"] if not row["trail"]["whole"]]
    if broken:
        raise fail(f"The trail of {', '.join(broken)} is not whole. Compare it with a backup: dlr suppress audit ID.")


def _pack(at: Stored, recipient: str, account: str, who: str, *, reveal: bool) -> Found:
    codes = codes_or_fail(at.settings)
    now = datetime.now(UTC)
    with at.database.reading() as connection:
        connection = rows.snapshot(connection)
        people = at.hashes(connection, recipient)
        if account and account not in people:
            raise fail(f"There is no account {account!r}. {did_you_mean(account, people)}", 2)
        people = {name: person for name, person in people.items() if account in ("", name)}
        found = Gatherer(at, connection, codes, now, reveal).gather(people)
        made_on = head.installation(at, connection)
    address = normalise(recipient)
    return {
        "recipient": address if reveal else mask(address),
        "revealed": reveal,
        "known": bool(found["accounts"]),
        "trails_whole": all(row["trail"]["whole"] for row in found["suppressions"]),
        "made_at": now,
        "made_by": who,
        "installation": made_on,
        "retention": head.retention(at.settings, now),
        "notes": list(head.NOTES),
        **found,
    }


def _hand_out(pack: Found, form: str, output: Path | None, *, force: bool) -> None:
    if output is None:
        if form == "json":
            print_json(plain(pack))
            return
        for line in text.lines(pack):
            click.echo(line)
        return
    content = (
        json.dumps(plain(pack), indent=2, ensure_ascii=False, default=str)
        if form == "json"
        else "\n".join(text.lines(pack))
    )
    file.write(output, content + "\n", force=force)
    click.echo(f"Written to {output}, for you alone to read.", err=True)
