"""Files and lists of the user's own, as settings name them: without them nothing can be decided on."""

from collections.abc import Callable
from typing import Final

from codes import CAUSES, CHANNELS, TableError, load_codes, shipped
from config.alert_routes import load_routes
from config.forwarding import load_endpoints
from config.relays import Relays
from config.settings import Settings, SettingsError
from policy import PolicyError, load_policy


def _codes(settings: Settings) -> None:
    try:
        load_codes(settings.codes_local)
    except (TableError, OSError) as error:
        raise SettingsError(f"DLR_CODES_LOCAL: {_why(error)}. `dlr codes check FILE` checks it") from None


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be read ({error.strerror})"
    return str(error).rstrip(".")


def _policy(settings: Settings) -> None:
    try:
        tables = load_codes(settings.codes_local).tables
    except (TableError, OSError):
        tables = shipped().tables  # said already
    try:
        load_policy(settings.policy, tables)
    except (PolicyError, OSError) as error:
        raise SettingsError(f"DLR_POLICY: {_why(error)}. `dlr policy check FILE` checks it") from None


def _endpoints(settings: Settings) -> None:
    load_endpoints(settings.forward, frozenset(CHANNELS))


def _relays(settings: Settings) -> None:
    Relays.read(settings.relay_url)


def _routes(settings: Settings) -> None:
    load_routes(settings.alert_routes, CAUSES)


OWN_FILES: Final[tuple[Callable[[Settings], None], ...]] = (_codes, _policy, _endpoints, _relays, _routes)
"""Each raises `SettingsError` with what is wrong and what to do."""
