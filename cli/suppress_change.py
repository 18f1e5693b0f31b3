"""`dlr suppress add|protect|undo`: changes of the list by hand."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import click
from sqlalchemy import Connection

from cli.asking import confirm
from cli.known import account_or_fail, rule_or_fail
from cli.listed import print_found, with_addresses
from cli.moments import AHEAD, MOMENT, shown
from cli.output import counted, fail, format_option, print_json
from cli.shown import plain
from cli.stored import Stored, stored
from cli.who import who_option
from codes.suggest import did_you_mean
from reports import normalise
from reports.recipient import fault_of, fault_of_form
from store import entering, people, protections, undoing
from store.entering import BY_HAND, PROTECTED, Wanted
from store.moments import to_ms
from store.schema import suppressions
from webhook.accounts import MAIN
from webhook.suppress_words import CAUSES_BY_HAND, SENT_ON, cause_of

PURPOSES: Final = ("all", "marketing")
ADDRESS_INVALID: Final = "address_invalid"
"""The cause that says of an address that it is none: it may look like anything."""
_TOLD: Final = 10


def addresses(given: tuple[str, ...]) -> list[str]:
    """Return the addresses of an argument list; `-` stands for one on each line of standard input."""
    found: list[str] = []
    for one in given:
        found += [line.strip() for line in sys.stdin if line.strip()] if one == "-" else [one.strip()]
    if not all(found) or not found:
        raise fail("An address is empty. Write a phone number or an e-mail address, or - for standard input.", 2)
    return found


def judge(given: Sequence[str], channel: str = "", cause: str = "") -> None:
    """End the command where one of these cannot be an address: an entry for it would block, or protect, nobody."""
    judged = fault_of_form if cause == ADDRESS_INVALID else partial(fault_of, channel=channel)
    faults = [(place, fault) for place, one in enumerate(given, 1) if (fault := judged(one))]
    if faults:
        told = [f"Address {place} of {len(given)}: {fault}" for place, fault in faults[:_TOLD]]
        more = [f"... and {len(faults) - _TOLD} more."] if len(faults) > _TOLD else []
        raise fail("\n".join((*told, *more, "Nothing was done.")), 2)


def channel_or_fail(channel: str) -> str:
    """Return a channel that something can be sent on, or end the command."""
    if channel and channel not in SENT_ON:
        raise fail(f"There is no channel {channel!r} to send on. {did_you_mean(channel, SENT_ON)}", 2)
    return channel


@click.command()
@click.argument("address", nargs=-1, required=True, metavar="ADDRESS|-...")
@click.option("--account", default=MAIN, show_default=True, help="The account whose messages it stops.")
@click.option("--channel", default="", help="Only this channel; without it, every channel.")
@click.option("--sender", default="", help="Only messages from this sender.")
@click.option("--campaign", default="", help="Only this campaign.")
@click.option("--purpose", type=click.Choice(PURPOSES), default="all", show_default=True, help="Only this purpose.")
@click.option("--cause", default=BY_HAND, show_default=True, help="Why, such as recipient_opted_out.")
@click.option("--until", type=AHEAD, help="When it ends; without it, for good.")
@click.option("--reason", default="", help="In your own words, for whoever asks later.")
@who_option
@format_option
def add(address: tuple[str, ...], account: str, channel: str, cause: str, form: str, who: str, **more: Any) -> None:
    """Suppress addresses. With - they are read from standard input, one on each line."""
    word = cause_of(cause)
    if word is None:
        raise fail(f"There is no cause {cause!r} for this. {did_you_mean(cause, CAUSES_BY_HAND)}", 2)
    given = addresses(address)
    judge(given, channel_or_fail(channel), word)
    wanted = [Wanted(account=account, address=one, channel=channel, cause=word, **more) for one in given]
    now = datetime.now(UTC)
    with stored() as at:
        with at.database.reading() as connection:
            account_or_fail(at, connection, account)
        results = at.database.repeat(
            lambda connection: entering.enter(connection, at.vault, wanted, now, who, "operator")
        )
    counts = {word: results.count(word) for word in dict.fromkeys(results)}
    if form == "json":
        print_json({"results": [{"result": result} for result in results]})
    else:
        click.echo(", ".join(f"{count} {word}" for word, count in counts.items()) + ".")
    if counts.get(PROTECTED):
        raise fail("Protected addresses are left out of the list. `dlr suppress protect ADDRESS --end` ends that.")


@click.command()
@click.argument("address", nargs=-1, metavar="ADDRESS|-...")
@click.option("--until", type=AHEAD, help="When it ends; without it, until somebody ends it.")
@click.option("--end", "over", is_flag=True, help="End the protection now.")
@click.option("--reason", default="", help="In your own words.")
@who_option
@format_option
def protect(address: tuple[str, ...], until: datetime | None, over: bool, reason: str, who: str, form: str) -> None:
    """Keep addresses out of the list: no failure suppresses them, and what failures did is lifted.

    Opt-outs, complaints, do-not-disturb and deactivations are written and heeded all the same. Without an address,
    the protections that stand are listed.
    """
    if not address:
        _list_protections(form)
        return
    given = addresses(address)
    now = datetime.now(UTC)
    if not over:
        judge(given)
    with stored() as at:
        persons = _people(at, given)
        if over:
            ended = at.database.repeat(lambda connection: protections.end(connection, persons))
            if form == "json":
                print_json({"ended": ended})
            else:
                click.echo(f"{counted(ended, 'protection')} ended.")
            return
        spelled = {
            at.vault.hash_address(account, one): (normalise(one), to_ms(now))
            for account in {account for account, _ in persons}
            for one in given
        }

        def work(connection: Connection) -> int:
            people.keep(connection, at.vault, spelled)
            return protections.protect(connection, persons, until, now, who, reason)

        lifted = at.database.repeat(work)
    if form == "json":
        print_json(plain({"protected": len(given), "until": until, "lifted": lifted}))
        return
    span = f"until {shown(until)}" if until else "until somebody ends it"
    entries = counted(lifted, "entry", "entries")
    click.echo(f"{counted(len(given), 'address is', 'addresses are')} protected {span}; {entries} lifted.")


def _people(at: Stored, given: list[str]) -> list[tuple[str, bytes]]:
    with at.database.reading() as connection:
        return [person for one in given for person in at.hashes(connection, one).items()]


def _list_protections(form: str) -> None:
    with stored() as at, at.database.reading() as connection:
        found = protections.standing(connection)
        with_addresses(connection, found, "address")
    print_found(
        form,
        found,
        ("to", "account", "since", "until", "who", "reason"),
        lambda row: (
            row["address"],
            row["account"],
            shown(row["since"]),
            shown(row["until"]) or "ended by hand",
            row["who"],
            row["reason"],
        ),
        "No address is protected.",
    )


@click.command()
@click.option("--rule", required=True, help="The rule whose suppressions are undone; `dlr suppress list` names it.")
@click.option("--from", "since", type=MOMENT, required=True, help="From when on, by our clock.")
@click.option("--to", "until", type=MOMENT, help="Up to when; without it, now.")
@click.option("--reason", default="", help="In your own words; opt-outs are undone only with one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@who_option
def undo(rule: str, since: datetime, until: datetime | None, reason: str, yes: bool, who: str) -> None:
    """Undo everything that one rule did in a time. Says how much that is before it asks."""
    end = until or datetime.now(UTC)
    with stored() as at:
        with at.database.reading() as connection:
            rule_or_fail(at, connection, rule, suppressions.c.rule)
            counts = undoing.counts(connection, rule, since, end)
        if not counts:
            click.echo(f"Rule {rule} did nothing between {shown(since)} and {shown(end)} that still stands.", err=True)
            return
        for (cause, state), count in sorted(counts.items()):
            click.echo(f"{count}\t{state}\t{cause}")
        if any(cause == undoing.OPT_OUT for cause, _ in counts):
            if at.settings.four_eyes:
                raise fail("There are opt-outs among them, which two people lift one by one: dlr suppress lift ID.")
            if not reason:
                raise fail("There are opt-outs among them: say why they are none with --reason.", 2)
        if not yes:
            confirm(f"Undo {counted(sum(counts.values()), 'suppression')}?")
        done, now = 0, datetime.now(UTC)
        while part := at.database.repeat(
            lambda connection: undoing.undo(connection, rule, since, end, now, who, reason)
        ):
            done += part
    click.echo(f"{counted(done, 'suppression is', 'suppressions are')} undone.")
