"""`dlr alerts`: the routes over which incidents are told, and whether they work."""

from datetime import UTC, datetime
from typing import Any, Final

import click

from cli.groups import Listing
from cli.output import NOT_FOUND, fail, format_option, print_json, print_nothing, print_table
from cli.route_state import RouteState, states
from cli.state import settings_or_fail
from cli.stored import stored
from codes import CAUSES
from codes.suggest import did_you_mean
from config.alert_routes import Route, Routes, load_routes
from config.settings import Settings, SettingsError
from workers.actions.notify.trial import try_route

_NONE: Final = "No route is configured: incidents are told in the log only. docs/alerts.md shows how to name some."


@click.group(cls=Listing)
def alerts() -> None:
    """Routes over which incidents are told."""


@alerts.command("list")
@format_option
def list_routes(form: str) -> None:
    """List the routes: what each hears of, what waits for it, and whether it works."""
    settings = settings_or_fail()
    routes = _routes(settings)
    with stored() as at, at.database.reading() as connection:
        found = states(connection, routes, datetime.now(UTC))
    if form == "json":
        print_json([state.plain() for state in found])
    elif found:
        print_table(("route", "state", "waiting", "told last", "hears of"), [_cells(state) for state in found])
    else:
        print_nothing(_NONE)


def _cells(state: RouteState) -> tuple[Any, ...]:
    return (state.route.name, state.told, state.waiting, state.last, hears_of(state.route))


def hears_of(route: Route) -> str:
    """Return a route's filters in words."""
    parts = [f"{route.severity} and graver" if route.severity != "info" else "every severity"]
    for name in ("causes", "rules", "accounts", "purposes"):
        if values := getattr(route, name):
            parts.append(f"{name} {', '.join(sorted(values))}")
    if route.hours is not None:
        parts.append(f"from {route.hours.begin:%H:%M} to {route.hours.end:%H:%M} {route.hours.zone.key}")
    return "; ".join(parts)


@alerts.command("test")
@click.argument("name", metavar="ROUTE")
@format_option
def test_route(name: str, form: str) -> None:
    """Send a test message over ROUTE now, and its end after it."""
    routes = _routes(settings_or_fail())
    route = routes.by_name.get(name)
    if route is None:
        if not routes.by_name:
            raise fail("No route is configured: DLR_ALERT_ROUTES names their file (docs/alerts.md).", 1, NOT_FOUND)
        raise fail(f"There is no route {name!r}. {did_you_mean(name, routes.by_name)}", 1, NOT_FOUND)
    problem = try_route(route)
    if problem:
        raise fail(f"The route {name} does not work: {problem}. Correct it in the file that DLR_ALERT_ROUTES names.")
    if form == "json":
        print_json({"route": name, "works": True})
        return
    click.echo(f"The route {name} took a test message. See whether it arrived where people read it.")


def _routes(settings: Settings) -> Routes:
    try:
        return load_routes(settings.alert_routes, CAUSES)
    except SettingsError as error:
        raise fail(str(error), 2) from None
