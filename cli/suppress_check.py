"""`dlr suppress check`: would a message to this address be stopped, and why?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cli.known import account_or_fail
from cli.moments import shown
from cli.output import format_option, print_json
from cli.shown import plain
from cli.state import codes_or_fail, rules_or_fail
from cli.stored import stored
from cli.suppress_change import addresses, channel_or_fail
from config.mask import mask
from reports import normalise
from reports.recipient import fault_of
from store.blocks import Asked, Block, look_up
from webhook.accounts import MAIN
from webhook.opinions import PURPOSES, Opinion


@click.command()
@click.argument("address", nargs=-1, required=True, metavar="ADDRESS|-...")
@click.option("--channel", required=True, help="The channel that the message would leave by, such as sms.")
@click.option("--sender", default="", help="The sender that it would have.")
@click.option("--campaign", default="", help="The campaign that it would belong to.")
@click.option(
    "--purpose",
    type=click.Choice(PURPOSES),
    default="undeclared",
    show_default=True,
    help="What it would be for; undeclared is asked of the policy's [purposes].",
)
@click.option("--account", default=MAIN, show_default=True, help="The account that it would be of.")
@format_option
def check(
    address: tuple[str, ...], channel: str, sender: str, campaign: str, purpose: str, account: str, form: str
) -> None:
    """Say whether a message would be stopped, just as the pass-through and the API do. Exit code 0 either way."""
    given = addresses(address)
    channel_or_fail(channel)
    now = datetime.now(UTC)
    with stored() as at, at.database.reading() as connection:
        account_or_fail(at, connection, account)
        rules = rules_or_fail(at.settings, codes_or_fail(at.settings))
        purpose = Opinion(rules.purposes, timedelta(), rules).counts_as(account, purpose, campaign, sender, "")
        asked = [
            Asked(at.vault.hash_address(account, normalise(one)), channel, sender, campaign, purpose) for one in given
        ]
        found = look_up(connection, account, asked, now)
    if form == "json":
        print_json([_plain(one, blocks) for one, blocks in zip(given, found, strict=True)])
        return
    for place, (one, blocks) in enumerate(zip(given, found, strict=True), 1):
        if not blocks and (fault := fault_of(one, channel)):
            click.echo(f"Address {place} of {len(given)}: {fault}", err=True)
        click.echo("\t".join((mask(normalise(one)), _verdict(blocks), *_why(blocks))))


def _verdict(blocks: list[Block]) -> str:
    if any(block.stops for block in blocks):
        return "blocked"
    if any(block.flags and block.state == "active" for block in blocks):
        return "passes, flagged: no marketing"
    waiting = next((block.state for block in blocks), "")
    return f"passes: {waiting}, and waits for a person" if waiting else "passes"


def _why(blocks: list[Block]) -> tuple[str, ...]:
    if not blocks:
        return ()
    first = blocks[0]
    until = f"until {shown(first.until)}" if first.until else "for good"
    return first.cause, f"since {shown(first.since)}", until, f"id {first.id}"


def _plain(address: str, blocks: list[Block]) -> dict[str, Any]:
    entries = [
        {name: getattr(block, name) for name in ("id", "cause", "rule", "state", "since", "until", "flags")}
        for block in blocks
    ]
    blocked = any(block.stops for block in blocks)
    found: dict[str, Any] = plain({"to": mask(normalise(address)), "blocked": blocked, "entries": entries})
    return found
