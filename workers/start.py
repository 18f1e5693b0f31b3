"""What a worker or beat looks at before it starts."""

from typing import Any, Final

from config.logs import log
from config.settings import SettingsError, load_settings
from store.database import open_database
from store.errors import NotMigrated, Unavailable
from store.revision import require_migrated
from workers.own_files import OWN_FILES

_LOG: Final = log(__name__)


def refuse_own_files(**kwargs: Any) -> None:
    """End the process where a file or list that the settings name cannot be used.

    Every task would fail at it, and nothing would be decided, while callbacks go on being taken. `dlr up` looks before
    it starts anything (`cli.supervisor.preflight`); this is for workers that are started by themselves. What becomes
    wrong later changes nothing: the rules in force stay.
    """
    settings = load_settings()
    try:
        for look in OWN_FILES:
            look(settings)
    except SettingsError as error:
        raise SystemExit(f"This cannot start: {error}") from None


def refuse_other_tables(**kwargs: Any) -> None:
    """End the process where the tables are not this release's.

    What it wrote into an older or newer database could be wrong, and nobody would see it. A database that is away is
    no reason to end: each process looks once more when it opens it.
    """
    settings = load_settings()
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous, pool=1)
    try:
        require_migrated(database)
    except NotMigrated as error:
        # Celery logs and forgets what a receiver raises, but not this.
        raise SystemExit(f"This cannot start: {error}") from None
    except Unavailable as error:
        _LOG.warning("database_unavailable", problem=str(error), next_step="the first task looks again")
    finally:
        database.close()
