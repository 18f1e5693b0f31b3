"""`dlr suppress lift|requests|approve`: take entries off the list; opt-outs with a reason, and perhaps with two."""

from datetime import UTC, datetime

import click

from cli.listed import print_found
from cli.moments import shown
from cli.output import fail, format_option
from cli.stored import ids, stored
from cli.suppress import find_entries
from cli.who import who_option
from store import lifting
from store.lifting import LIFTED, NotLifted
from store.suppressions import STANDING


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="ID|ADDRESS...")
@click.option("--reason", default="", help="Who asked for it and where. An opt-out is lifted only with one.")
@who_option
def lift(what: tuple[str, ...], reason: str, who: str) -> None:
    """Lift entries by their ids, or all that stand of an address.

    With DLR_FOUR_EYES=true an opt-out waits for a second person: dlr suppress approve.
    """
    problems = []
    now = datetime.now(UTC)
    with stored() as at:
        with at.database.reading() as connection:
            rows = [row for one in what for row in find_entries(at, connection, one) if _is_meant(one, row)]
        if not rows:
            raise fail("Nothing of that stands any more. `dlr suppress show` says what became of it.")
        eyes = at.settings.four_eyes
        for number in dict.fromkeys(row["id"] for row in rows):
            try:
                done = at.database.repeat(
                    lambda connection, of=number: lifting.by_hand(  # type: ignore[misc]
                        connection, of, now, who, reason, four_eyes=eyes
                    )
                )
                told = "is lifted" if done == LIFTED else "waits for a second person: dlr suppress requests"
                click.echo(f"Suppression {number} {told}.")
            except NotLifted as problem:
                problems.append(f"{number}: {problem}. {problem.next_step}".strip())
    if problems:
        raise fail("Not lifted:\n" + "\n".join(problems))


def _is_meant(what: str, row: dict[str, object]) -> bool:
    # Named by its id, an entry that is over is answered by why; of an address only what stands is meant.
    return row["state"] in STANDING or str(row["id"]) == what


@click.command()
@format_option
def requests(form: str) -> None:
    """List the lifts that wait for a second person."""
    with stored() as at, at.database.reading() as connection:
        found = [
            {
                "id": one.id,
                "suppression_id": one.suppression_id,
                "asked_at": one.asked_at,
                "who": one.who,
                "reason": one.reason,
            }
            for one in lifting.requests(connection)
        ]
    headers = ("id", "suppression", "asked", "by", "reason")
    print_found(
        form,
        found,
        headers,
        lambda row: (row["id"], row["suppression_id"], shown(row["asked_at"]), row["who"], row["reason"]),
        "No lift waits for a second person.",
    )


@click.command()
@click.argument("number", metavar="REQUEST")
@click.option("--refuse", is_flag=True, help="Refuse it, or take it back.")
@who_option
def approve(number: str, refuse: bool, who: str) -> None:
    """Agree to a lift as a second person; `dlr suppress requests` lists what waits."""
    request = ids([number])[0]
    now = datetime.now(UTC)
    with stored() as at:
        try:
            if refuse:
                if not at.database.repeat(lambda connection: lifting.withdraw(connection, request, now, who)):
                    raise NotLifted(f"there is no open request {request}", "`dlr suppress requests` lists them.")
                click.echo(f"Request {request} is refused.")
                return
            entry = at.database.repeat(lambda connection: lifting.approve(connection, request, now, who))
        except NotLifted as problem:
            raise fail(f"Not done: {problem}. {problem.next_step}".strip()) from None
    click.echo(f"Suppression {entry} is lifted.")
