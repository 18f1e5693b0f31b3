"""`dlr quarantine`: what could not be understood, why, and how to go on with it."""

import json
from typing import Any, Final

import click

from cli.asking import confirm
from cli.groups import Listing
from cli.moments import shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json, print_nothing, print_table
from cli.replay import opened_context
from cli.reports import check_words
from cli.shown import plain
from cli.stored import Stored, ids, stored
from config.mask import mask_text
from infobip.inbound.envelope import open_envelope
from infobip.inbound.errors import InboundError
from store import by_hand, replay, views
from store.inbox import Callback
from store.views import Found, Wanted
from workers.again import Again, process_again

_WHOLE = "whole"


@click.group(cls=Listing)
def quarantine() -> None:
    """What could not be understood: nothing that arrives is thrown away."""


@quarantine.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what was replayed or discarded.")
@click.option("--channel", default="", help="Only this channel's.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@format_option
def list_quarantine(everything: bool, channel: str, limit: int, form: str) -> None:
    """List what is in quarantine, the newest first."""
    check_words(channel, "")
    with stored() as at, at.database.reading() as connection:
        wanted = Wanted(channel=channel, state=() if everything else ("open",), limit=limit)
        found = views.find_quarantined(connection, wanted)
    if form == "json":
        print_json(plain(found))
    elif found:
        headers = ("id", "kept", "state", "channel", "callback", "item", "reason")
        print_table(headers, [_cells(row) for row in found])
    else:
        print_nothing("Nothing is in quarantine. `dlr quarantine list --all` shows what was, too.")


def _cells(row: Found) -> tuple[Any, ...]:
    item = _WHOLE if row["item_index"] < 0 else row["item_index"]
    return (
        row["id"],
        shown(row["kept_at"]),
        row["state"],
        row["channel"],
        row["callback_id"],
        item,
        mask_text(row["reason"]),
    )


@quarantine.command()
@click.argument("number", metavar="ID")
@click.option("--reveal", is_flag=True, help="Show addresses and other long numbers in clear.")
@format_option
def show(number: str, reveal: bool, form: str) -> None:
    """Show one item as it came, and why it was not understood."""
    with stored() as at:
        row, callback = _load(at, ids([number])[0])
    content = _content(callback, row["item_index"])
    if form == "json":
        kept = {**row, "trusted": callback.trusted, "content_type": callback.content_type}
        print_json({**plain(kept), "raw": _masked(content, reveal)})
        return
    what = "the whole body" if row["item_index"] < 0 else f"item {row['item_index']}"
    click.echo(f"{row['id']}  {row['state']}: {what} of callback {row['callback_id']}")
    click.echo(f"    kept {shown(row['kept_at'])}, channel {row['channel']}, account {row['account']}")
    click.echo(f"    content type {callback.content_type or '(none)'}, {counted(len(callback.body), 'byte')} in all")
    click.echo(f"    because: {row['reason']}\n")
    click.echo(_masked(content if isinstance(content, str) else _pretty(content), reveal))
    if not reveal:
        click.echo("\nAddresses and long numbers are masked; --reveal shows them.", err=True)


# A body that is one endless text tells no more than its beginning does, and masking takes time by the length.
_LONGEST_TEXT: Final = 100_000


def _pretty(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)


def _masked(content: Any, reveal: bool) -> Any:
    if reveal:
        return content
    if isinstance(content, str):
        left_out = len(content) - _LONGEST_TEXT
        return mask_text(content[:_LONGEST_TEXT]) + (f"… ({left_out} more characters)" if left_out > 0 else "")
    if isinstance(content, dict):
        return {name: _masked(inner, reveal) for name, inner in content.items()}
    if isinstance(content, list):
        return [_masked(inner, reveal) for inner in content]
    if isinstance(content, int) and not isinstance(content, bool):
        text = mask_text(str(content))
        return content if text == str(content) else text
    return content


def _content(callback: Callback, index: int) -> Any:
    """Return an item, or a body, as an object where it can be parsed, else as text."""
    try:
        items = open_envelope(callback.body, callback.content_type).items
    except (InboundError, ValueError, RecursionError):
        items = []
    if index < 0:
        text = callback.body.decode("utf-8", "replace")
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return items[index] if index < len(items) else callback.body.decode("utf-8", "replace")


def _load(at: Stored, number: int) -> tuple[Found, Callback]:
    with at.database.reading() as connection:
        row = views.quarantined(connection, number)
        if row is None:
            raise fail(
                f"There is no item {number} in quarantine. `dlr quarantine list --all` lists them.", name=NOT_FOUND
            )
        callback = replay.callbacks(connection, at.vault, [row["callback_id"]]).get(row["callback_id"])
    if callback is None:
        raise fail(f"The raw callback of {number} is no longer kept. The reason was: {row['reason']}")
    return row, callback


@quarantine.command("replay")
@click.argument("numbers", nargs=-1, metavar="ID...")
@click.option("--all", "everything", is_flag=True, help="All that is in quarantine.")
@format_option
def replay_quarantined(numbers: tuple[str, ...], everything: bool, form: str) -> None:
    """Process items once more, after a fix, and say what became of each. Neighbours are not processed twice."""
    with stored() as at, opened_context(at) as context:
        chosen = _chosen(at, numbers, everything)
        done = [process_again(context, number) for number in chosen]
        told = [(one, _told(at, one)) for one in done]
    if form == "json":
        objects = [{**plain({"id": one.number}), "result": one.result, "what": what} for one, what in told]
        print_json(objects)
    else:
        print_table(("id", "result", "what"), [(one.number, one.result, what) for one, what in told])
    if any(one.result in ("unreadable", "unknown", "gone") for one in done):
        raise fail("Not all could be processed; what is still not understood stays in quarantine.")


def _chosen(at: Stored, numbers: tuple[str, ...], everything: bool) -> list[int]:
    if not everything:
        if not numbers:
            raise fail("Name the ids, or --all. `dlr quarantine list` lists them.", 2)
        return ids(numbers)
    with at.database.reading() as connection:
        rows = views.find_quarantined(connection, Wanted(state=("open",), limit=100_000))
    return sorted(row["id"] for row in rows)


def _told(at: Stored, one: Again) -> str:
    if not one.reports:
        return one.reason
    with at.database.reading() as connection:
        decided = views.latest_decisions(connection, one.reports)
    reasons = [decision["reason"] for decision in decided.values()]
    count = counted(len(one.reports), "report")
    return f"{count}: {reasons[0]}" if len(reasons) == 1 else f"{count}, {counted(len(reasons), 'decision')}"


@quarantine.command()
@click.argument("numbers", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(numbers: tuple[str, ...], yes: bool) -> None:
    """Give items up. The raw callback stays until its retention ends."""
    wanted = list(dict.fromkeys(ids(numbers)))
    with stored() as at:
        still = _open(at, wanted)
        if still and not yes:
            confirm(f"Discard {counted(len(still), 'item')}?")
        count = at.database.repeat(lambda connection: by_hand.discard(connection, still)) if still else 0
    click.echo(f"{count} of {len(wanted)} discarded.")
    if count < len(wanted):
        raise fail("What was not discarded was not open. `dlr quarantine list --all` shows its state.")


def _open(at: Stored, numbers: list[int]) -> list[int]:
    """Return those that are in quarantine and open; name the others, before a person is asked about them."""
    still = []
    with at.database.reading() as connection:
        for number in numbers:
            row = views.quarantined(connection, number)
            if row is not None and row["state"] == "open":
                still.append(number)
            else:
                what = "it is not in quarantine" if row is None else f"it is {row['state']} already"
                click.echo(f"{number}: {what}", err=True)
    return still
