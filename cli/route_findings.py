"""What `dlr doctor` finds about the routes over which incidents are told."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cli.findings import ERROR, OK, WARNING, Finding
from cli.output import counted
from cli.route_state import states
from codes import CAUSES
from config.alert_routes import load_routes
from config.settings import Settings, SettingsError
from store.database import Database


def alert_routes(settings: Settings, opened: Database) -> Iterator[Finding]:
    """Look whether the routes can be read, and whether each of them works."""
    try:
        routes = load_routes(settings.alert_routes, CAUSES)
    except SettingsError as error:
        yield Finding(ERROR, "alert routes", str(error), "Correct the file that DLR_ALERT_ROUTES names.")
        return
    if not routes.by_name:
        fix = "Name some in a file and that in DLR_ALERT_ROUTES; docs/alerts.md shows how."
        yield Finding(WARNING, "alert routes", "none: incidents are told in the log only", fix)
        return
    with opened.reading() as connection:
        found = states(connection, routes, datetime.now(UTC))
    for state in found:
        if state.dead:
            waiting = counted(state.waiting, "notification waits", "notifications wait")
            fix = f"Run `dlr alerts test {state.route.name}`, and correct the route."
            yield Finding(ERROR, "alert routes", f"{state.route.name} {state.told}; {waiting}", fix)
    if not any(state.dead for state in found):
        yield Finding(OK, "alert routes", f"{counted(len(found), 'route')}: {', '.join(routes.by_name)}")
