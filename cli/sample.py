"""`dlr sample`: a callback body as Infobip would post it, for any channel and any code."""

import sys
from typing import Final

import click

from cli.bodies import as_json, as_xml, family_of, make_items
from cli.output import fail
from cli.state import codes_or_fail, settings_or_fail
from codes import CHANNELS, Codes, Row
from codes.channels import AUTO, FAMILIES, UNKNOWN
from codes.suggest import did_you_mean

# Which channel shows a family's codes, where the channel is not named.
_SHOWN_ON: Final = {
    "chat": "whatsapp",
    "dlt": "sms",
    "email": "email",
    "live chat": "live-chat",
    "mms": "mms",
    "mobile identity": "mobile-identity",
    "moments": "flow",
    "people": "people",
    "push": "push",
    "voice": "voice",
    "voice and webrtc": "voice",
    "voice deprecated": "voice",
}
# The status that goes with an error of this cause; other errors are those of an undelivered message.
_STATUS_OF: Final = {"delivered": "DELIVERED_TO_HANDSET", "pending": "PENDING_ENROUTE", "expired": "EXPIRED_EXPIRED"}
_FAILED: Final = "UNDELIVERABLE_NOT_DELIVERED"
_NO_ERROR: Final = "NO_ERROR"
# What a report without any wish tells: the commonest failure that passes by itself.
_USUAL: Final = "EC_ABSENT_SUBSCRIBER"


@click.command()
@click.option("--channel", default="", help="Channel, such as email; without it, one that has the code, else sms.")
@click.option("--code", default="", metavar="ID|NAME", help="Error of the report: `dlr codes` lists them.")
@click.option(
    "--status", default="", metavar="ID|NAME", help="Status of the report; without it, one that fits the error."
)
@click.option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Reports in the body.")
@click.option(
    "--format", "form", type=click.Choice(["json", "xml"]), default="json", show_default=True, help="Of the body."
)
def sample(channel: str, code: str, status: str, count: int, form: str) -> None:
    """Print a callback body with fictional people, to be posted or explained.

    For example: dlr sample --channel email --code 6003 | dlr explain --channel email -
    """
    if channel and channel not in CHANNELS - {AUTO, UNKNOWN}:
        raise fail(f"There is no channel {channel!r}. {did_you_mean(channel, CHANNELS - {AUTO, UNKNOWN})}", 2)
    codes = codes_or_fail(settings_or_fail())
    channel = channel or _channel_of(codes, code, status)
    body = sample_body(codes, channel, code, status, count, form, indent=2 if sys.stdout.isatty() else None)
    click.echo(body)


def sample_body(
    codes: Codes,
    channel: str,
    code: str = "",
    status: str = "",
    count: int = 1,
    form: str = "json",
    indent: int | None = None,
) -> str:
    """Return a body with these codes (ids or names; empty for what usually goes together)."""
    family = family_of(channel)
    if form == "xml" and not family.root:
        raise fail(f"Infobip posts what happens on {channel} as JSON only.", 2)
    for kind, wish in (("status", status), ("error", code)):
        if wish and kind not in family.kinds:
            raise fail(f"What Infobip posts for {channel} carries no {kind}.", 2)
    error_row = _find(codes, "error", code, channel) if code else None
    status_row = _find(codes, "status", status, channel) if status else None
    if error_row is None and (status_row is not None or channel in ("blocklist", "mobile-identity")):
        error_row = _find(codes, "error", _NO_ERROR, channel)
    if error_row is None:
        error_row = _find(codes, "error", _USUAL, channel)
    if status_row is None:
        status_row = fitting_status(codes, error_row.id, channel)
    items = make_items(channel, status_row, error_row, count)
    return as_xml(channel, items) if form == "xml" else as_json(channel, items, indent)


def fitting_status(codes: Codes, error: int, channel: str) -> Row:
    """Return the status that an error usually comes with on a channel: a failure's where the error is not known."""
    rows = [row for row in codes.tables.rows if row.kind == "error" and row.id == error]
    own = FAMILIES[channel][1]
    cause = next((row.cause for row in sorted(rows, key=lambda row: row.family not in own)), "")
    return _find(codes, "status", _STATUS_OF.get(cause, _FAILED), channel)


def _channel_of(codes: Codes, code: str, status: str) -> str:
    for kind, wish in (("error", code), ("status", status)):
        if wish:
            return _SHOWN_ON.get(_find(codes, kind, wish, "sms").family, "sms")
    return "sms"


def _find(codes: Codes, kind: str, wish: str, channel: str) -> Row:
    """Return the row of an id or name: of the channel's own families, else the general one, else any.

    An older name of one code may be the present name of another, which is the one that is meant.
    """
    named = [row for row in codes.tables.rows if row.kind == kind and _is_meant(row, wish)]
    if not named:
        names = [row.name for row in codes.tables.rows if row.kind == kind]
        hint = did_you_mean(wish.upper(), names) if not wish.isdecimal() else ""
        near = hint if len(hint) < 200 else ""
        raise fail(f"The tables hold no {kind} {wish}. {near or '`dlr codes` lists them.'}", 2)
    own = FAMILIES[channel][0 if kind == "status" else 1]
    order = (*own, "general")

    def rank(row: Row) -> tuple[int, bool]:
        family = order.index(row.family) if row.family in order else len(order)
        return family, not wish.strip().isdecimal() and row.name.casefold() != wish.strip().casefold()

    return min(named, key=rank)


def _is_meant(row: Row, wish: str) -> bool:
    text = wish.strip()
    if text.isdecimal():
        return row.id == int(text)
    return text.casefold() in {name.casefold() for name in (row.name, *row.aliases)}
