"""What commands that look into the database need first: the database, its keys, and a clear end where they fail."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cli.output import fail
from cli.state import settings_or_fail
from codes.channels import CHANNELS
from config.forwarding import load_endpoints
from config.settings import Settings, SettingsError
from store import views
from store.database import Database, open_database
from store.errors import KeyMismatch, NotMigrated, StoreError, Unavailable
from store.events import told_to
from store.revision import require_migrated
from store.vault import Vault, open_vault
from webhook.accounts import MAIN, Accounts

_NEXT_STEPS = {
    Unavailable: "Look at it with `dlr doctor`.",
    NotMigrated: "",
    KeyMismatch: "`dlr doctor` says which keys are expected.",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """One installation's settings, database and keys, for the length of a command."""

    settings: Settings
    database: Database
    vault: Vault

    def hashes(self, connection: Connection, address: str) -> dict[str, bytes]:
        """Return the keyed hash of `address` in every account that is known, by account."""
        return {account: self.vault.hash_address(account, address) for account in self.accounts(connection)}

    def accounts(self, connection: Connection) -> list[str]:
        """Return every account that the settings name or that has rows."""
        try:
            named = Accounts.from_settings(self.settings)
        except SettingsError as error:
            raise fail(str(error), 2) from None
        found = {MAIN, *(account for account, _ in named.tokens), *(account for _, account in named.owners)}
        return sorted(found | views.accounts(connection))


@contextmanager
def stored() -> Iterator[Stored]:
    """Open the database and its keys; end the command with the reason and the next step where that fails."""
    with opened_database() as (settings, database):
        require_migrated(database)
        # Read when something is to be told: a mistake in the file is no reason not to look at anything.
        told_to(database, cache(lambda: load_endpoints(settings.forward, frozenset(CHANNELS))))
        yield Stored(settings, database, open_vault(settings.state_dir, database))


@contextmanager
def opened_database() -> Iterator[tuple[Settings, Database]]:
    """Open the database alone; end the command where it, or anything done with it, fails."""
    settings = settings_or_fail()
    database = None
    try:
        if missing := missing_file(settings):
            raise fail(f"There is no database yet at {missing}. Make it with `dlr migrate`, or start with `./start`.")
        database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
        yield settings, database
    except (ArgumentError, ValueError) as error:
        raise fail(f"The database cannot be used: {error}", 2) from None
    except SettingsError as error:
        raise fail(str(error), 2) from None
    except StoreError as error:
        raise fail(told(error)) from None
    except OSError as error:
        if error.filename is None:
            raise
        whose = "Run the command as the user that runs the service, or look at DLR_STATE_DIR and DLR_DATABASE_URL."
        raise fail(f"{error.filename} cannot be read ({error.strerror}). {whose}") from None
    finally:
        if database is not None:
            database.close()


def missing_file(settings: Settings) -> str:
    """Return the path of the SQLite file that is not there, or nothing. Opening would make an empty one."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return ""
    path = Path(url.database)
    return "" if path.exists() else str(path)


def told(error: StoreError) -> str:
    """Return an error of the store with its next step, as one sentence after the other."""
    text = str(error).rstrip(".")
    steps = (step for kind, step in _NEXT_STEPS.items() if isinstance(error, kind))
    return f"The database: {text}. {next(steps, '')}".strip()


def ids(texts: Iterable[str]) -> list[int]:
    """Return ids given on the command line as numbers; end the command at one that is none."""
    found = []
    for text in texts:
        if not (text.isascii() and text.isdecimal() and len(text) < 20):
            raise fail(f"{text!r} is no id: ids are the long numbers that the listings print.", 2)
        found.append(int(text))
    return found
