"""What a worker or beat looks at before it starts."""

from typing import Any, Final

from config.logs import log
from config.settings import load_settings
from store.database import open_database
from store.errors import NotMigrated, Unavailable
from store.revision import require_migrated

_LOG: Final = log(__name__)


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
