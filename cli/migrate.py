"""`dlr migrate`: bring the database to this release."""

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cli.output import fail
from cli.state import settings_or_fail
from cli.stored import missing_file, told
from config.settings import Settings
from store.database import open_database
from store.errors import NotMigrated, StoreError
from store.migrate import migrate as bring_up
from store.revision import require_migrated


@click.command()
@click.option(
    "--without-received",
    is_flag=True,
    help="On SQLite: go on without the file of what is received, which is gone for good, and make an empty one.",
)
def migrate(without_received: bool) -> None:
    """Make the tables, or change them to what this release needs.

    Safe to run at any time and by several at once: they wait for one another. Nothing is lost by running it again.
    """
    settings = settings_or_fail()
    try:
        # Hides the password: what stands in a terminal is soon in a ticket.
        where = make_url(settings.database).render_as_string(hide_password=True)
        before = _is_current(settings)
        revision = bring_up(settings, without_received=without_received)
    except StoreError as error:
        raise fail(told(error)) from None
    except (ArgumentError, ValueError, OSError) as error:
        raise fail(f"The database cannot be used: {error}", 2) from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise fail(f"The tables could not be changed, and are as they were: {reason}. See `dlr doctor`.") from None
    done = "were this release's already" if before else "are now those of this release"
    click.echo(f"The tables of {where} {done} (revision {revision}).")


def _is_current(settings: Settings) -> bool:
    if missing_file(settings):
        return False
    database = open_database(settings.database)
    try:
        require_migrated(database)
    except NotMigrated:
        return False
    finally:
        database.close()
    return True
