"""`dlr forward`: the endpoints that get events, how they fare, and events sent once more."""

from base64 import b64encode
from datetime import UTC, datetime
from secrets import token_bytes
from typing import Any

import click

from cli.asking import confirm
from cli.groups import Listing
from cli.known import account_or_fail
from cli.moments import MOMENT, iso, shown
from cli.output import NOT_FOUND, counted, fail, format_option, print_json, print_nothing, print_table
from cli.stored import Stored, stored
from codes.channels import CHANNELS
from config.events import BY_NAME, EVENTS, MATCHED, PING
from config.forwarding import Endpoint, Endpoints, load_endpoints
from config.settings import Settings, SettingsError
from store import events, outbox
from store.events import Range
from store.ids import new_id
from workers.actions.forward import ForwardKind
from workers.actions.post import Road
from workers.actions.results import Outcome
from workers.actions.signed import body_of

_SECRET_BYTES = 32


@click.group(cls=Listing)
def forward() -> None:
    """Your own endpoints that get signed events, and how they fare."""


@forward.command("list")
@format_option
def list_endpoints(form: str) -> None:
    """List the endpoints: what each gets, what waits for it, and whether it is paused."""
    with stored() as at:
        endpoints = _endpoints(at.settings)
        found = [_state(at, one) for one in endpoints.by_name.values()]
    if form == "json":
        print_json(found)
    elif found:
        headers = ("name", "at", "state", "waiting", "since", "gets", "of", "includes")
        print_table(headers, [_cells(row) for row in found])
    else:
        print_nothing("There are no endpoints. Name a TOML file of them in DLR_FORWARD: docs/forward.md shows one.")


def _state(at: Stored, one: Endpoint) -> dict[str, Any]:
    now = datetime.now(UTC)
    with at.database.reading() as connection:
        circuit = outbox.circuit_of(connection, events.KIND, one.name)
        waiting, since = events.waiting_of(connection, one.name)
    state = "works"
    if outbox.is_paused(circuit):
        state = "paused by hand"
    elif circuit.failures:
        state = f"fails, tried again at {shown(circuit.until)}" if circuit.until > now else "fails, tried again now"
    return {
        "name": one.name,
        "at": one.target.origin,
        "state": state,
        "waiting": waiting,
        "waiting_since": iso(since),
        "events": sorted(one.events),
        "channels": sorted(one.channels),
        "accounts": sorted(one.accounts),
        "include": sorted(one.include),
    }


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    gets = "everything" if len(row["events"]) == len(EVENTS) else row["events"]
    of = [*row["channels"], *(f"account {name}" for name in row["accounts"])] or "all"
    since = datetime.fromisoformat(row["waiting_since"]) if row["waiting_since"] else None
    include = row["include"] or "masked people only"
    return row["name"], row["at"], row["state"], row["waiting"], shown(since), gets, of, include


@forward.command("events")
@format_option
def list_events(form: str) -> None:
    """List every type of event, and what it tells."""
    if form == "json":
        print_json(EVENTS | BY_NAME)
    else:
        print_table(("type", "tells"), (EVENTS | BY_NAME).items())


@forward.command("secret")
def make_secret() -> None:
    """Print a new random secret. Nothing is stored: write it into the endpoint's secret_file, and tell the receiver."""
    click.echo(f"whsec_{b64encode(token_bytes(_SECRET_BYTES)).decode()}")


@forward.command("test")
@click.argument("name")
def try_endpoint(name: str) -> None:
    """Send a signed test event to the endpoint NAME now, and say what it answers."""
    with stored() as at:
        endpoint = _endpoint(_endpoints(at.settings), name)
        kind = ForwardKind(Endpoints.of(endpoint), Road(), at.database, at.vault)
        lane = kind.lane(name)
        assert lane is not None
        now = datetime.now(UTC)
        number = f"evt_{new_id()}"
        try:
            result = lane.post(number, body_of(PING, now, {"endpoint": name}), now)
        finally:
            lane.close()
    if result.outcome is not Outcome.DONE:
        raise fail(f"{name} at {endpoint.target.origin} did not take the event {number}: {result.reason}.")
    click.echo(f"{name} at {endpoint.target.origin} took the event {number}.")


@forward.command("pause")
@click.argument("name")
def pause(name: str) -> None:
    """Send nothing to the endpoint NAME until `resume`. What is for it waits, for as long as its give_up_after."""
    with stored() as at:
        endpoint = _endpoint(_endpoints(at.settings), name)
        at.database.repeat(lambda c: outbox.pause(c, events.KIND, endpoint.name, datetime.now(UTC)))
    click.echo(f"{name} gets nothing until `dlr forward resume {name}`; what waits is given up in its time.")


@forward.command("resume")
@click.argument("name")
def resume(name: str) -> None:
    """Send to the endpoint NAME again, at once, whether it was paused by hand or for its failures."""
    with stored() as at:
        endpoint = _endpoint(_endpoints(at.settings), name)
        waiting = at.database.repeat(lambda c: outbox.resume(c, events.KIND, endpoint.name, datetime.now(UTC)))
    click.echo(f"{name} is tried at once; {counted(waiting, 'event waits', 'events wait')} for it.")


@forward.command("replay")
@click.option("--from", "since", type=MOMENT, required=True, help="Told at or after: 2026-03-02T09:15 (UTC), or 24h.")
@click.option("--to", "until", type=MOMENT, help="Told before. Now if left out.")
@click.option("--endpoint", default="", metavar="NAME", help="Only to this endpoint. All if left out.")
@click.option("--event", "kinds", multiple=True, metavar="TYPE", help="Only events of this type; may be repeated.")
@click.option("--account", default="", help="Only this account's.")
@click.option("--channel", default="", help="Only this channel's.")
@click.option("--message", default="", metavar="ID", help="Only about this message.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
def replay(
    since: datetime,
    until: datetime | None,
    endpoint: str,
    kinds: tuple[str, ...],
    account: str,
    channel: str,
    message: str,
    dry_run: bool,
    yes: bool,
    form: str,
) -> None:
    """Send past events once more, under the ids that they had, whatever became of them.

    Counts first, and asks. Each endpoint gets what it takes by the file in force now; what still waits is left alone.
    """
    now = datetime.now(UTC)
    end = min(until or now, now)  # nothing was told later
    if since >= end:
        raise fail(f"--from {shown(since)} is not before --to {shown(end)}.", 2)
    for kind in kinds:
        if kind not in EVENTS and kind != MATCHED:
            raise fail(f"There is no event {kind!r}. `dlr forward events` lists them.", 2)
    if channel and channel not in CHANNELS:
        raise fail(f"There is no channel {channel!r}; there are {', '.join(sorted(CHANNELS))}.", 2)
    asked = Range(since, end, frozenset(kinds), account, channel, message)
    with stored() as at:
        endpoints = _endpoints(at.settings)
        with at.database.reading() as connection:
            account_or_fail(at, connection, account)
        chosen = [_endpoint(endpoints, endpoint)] if endpoint else list(endpoints.by_name.values())
        with at.database.reading() as connection:
            found = {one.name: [n for part in events.in_range(connection, asked, one) for n in part] for one in chosen}
        queued = 0
        if _agreed(found, dry_run, yes, form):
            for one in chosen:
                for start in range(0, len(found[one.name]), 500):
                    part = found[one.name][start : start + 500]
                    queued += at.database.repeat(lambda c, one=one, part=part: events.send_again(c, one, part, now))  # type: ignore[misc]
    if form == "json":
        print_json({"found": {name: len(numbers) for name, numbers in found.items()}, "queued": queued})
    elif not dry_run and any(found.values()):
        click.echo(f"{counted(queued, 'event is', 'events are')} on the way once more, under the ids that they had.")


def _agreed(found: dict[str, list[int]], dry_run: bool, yes: bool, form: str) -> bool:
    if form == "text":
        if not any(found.values()):
            print_nothing("No event of that kind was told in that time. What no endpoint wanted then was not kept.")
        for name, numbers in found.items():
            if numbers:
                click.echo(f"{name}: {counted(len(numbers), 'event')}", err=True)
    if dry_run or not any(found.values()):
        return False
    if not yes:
        total = sum(map(len, found.values()))
        confirm(f"Send {counted(total, 'event')} once more?")
    return True


def _endpoints(settings: Settings) -> Endpoints:
    try:
        return load_endpoints(settings.forward, frozenset(CHANNELS))
    except SettingsError as error:
        raise fail(str(error), 2) from None


def _endpoint(endpoints: Endpoints, name: str) -> Endpoint:
    found = endpoints.by_name.get(name)
    if found is None:
        known = ", ".join(sorted(endpoints.by_name)) or "none: DLR_FORWARD names no file with any"
        raise fail(f"There is no endpoint {name!r}. There are: {known}.", name=NOT_FOUND)
    return found
