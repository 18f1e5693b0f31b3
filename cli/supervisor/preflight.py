"""What is looked at before any part is started: settings that can be read and still make no sense, and own files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from codes import CHANNELS
from config.accounts import MAIN
from config.settings import Settings, SettingsError
from config.sync import switches_of
from webhook.accounts import Accounts
from webhook.auth import Guard
from webhook.proxy.check import check_settings
from workers.own_files import OWN_FILES

_DATABASES: Final = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")


def preflight(settings: Settings) -> None:
    """Raise `SettingsError` with every fault.

    Each part would find its own faults, several times and amid the others' lines, and the endpoint would take callbacks
    that no worker can decide on. Once it runs, a file that becomes wrong changes nothing: the rules in force stay.
    """
    faults: list[str] = []
    for look in _LOOKS:
        with _noted(faults):
            look(settings)
    if faults:
        raise SettingsError("\n".join(faults))


@contextmanager
def _noted(faults: list[str]) -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        faults.append(str(error))


def _who_may_post(settings: Settings) -> None:
    Guard.from_settings(settings, Accounts.from_settings(settings))


def _default_channel(settings: Settings) -> None:
    if settings.default_channel and settings.default_channel not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise SettingsError(f"DLR_DEFAULT_CHANNEL: {settings.default_channel!r} is none of {known}")


def _database(settings: Settings) -> None:
    try:
        url = make_url(settings.database)
    except ArgumentError:
        # Its own words quote the text, which may hold a password.
        raise SettingsError("DLR_DATABASE_URL is no URL of a database: `dlr settings` shows its form") from None
    if url.drivername not in _DATABASES:
        known = "sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        raise SettingsError(f"DLR_DATABASE_URL: {url.drivername} is not supported. Write {known}")


def _sync(settings: Settings) -> None:
    switches_of(settings, MAIN)


_LOOKS: Final[tuple[Callable[[Settings], None], ...]] = (
    _who_may_post,
    _default_channel,
    _database,
    *OWN_FILES,
    _sync,
    check_settings,
)
