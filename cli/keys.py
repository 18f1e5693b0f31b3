"""`dlr keys`: keys of applications, and the keys without which nothing that is stored can be read."""

from datetime import UTC, datetime
from typing import Any

import click

from cli import stored_findings
from cli.groups import Listing
from cli.moments import iso, shown
from cli.output import NOT_FOUND, fail, format_option, print_json, print_nothing, print_table
from cli.stored import ids, opened_database, stored
from config.accounts import MAIN
from store import api_keys
from store.api_keys import SCOPES, ApiKey
from store.revision import require_migrated
from store.vault import KEY_FILE, read_keys


@click.group(cls=Listing)
def keys() -> None:
    """Keys of applications that call /proxy and /api; and the key file, without which nothing stored can be read."""


@keys.command("backup-done")
def backup_done() -> None:
    """Confirm that the key file is kept in a safe place that is not this host."""
    with stored() as at:
        path = at.settings.state_dir / KEY_FILE
        if not path.exists():
            raise fail(f"There is no key file {path} to have a backup of.")
        found = read_keys(path).ids
        at.database.repeat(lambda connection: stored_findings.confirm_backup(connection, found))
    click.echo(f"Noted: {path} has a backup. After a change of the keys `dlr doctor` asks again.")


@keys.command("create")
@click.argument("name")
@click.option("--account", default=MAIN, show_default=True, help="The account that its requests belong to.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What it may do; all, if not given.")
@format_option
def create(name: str, account: str, scopes: tuple[str, ...], form: str) -> None:
    """Make a key for the application NAME, and print it: it is never shown again."""
    wanted = scopes or SCOPES
    with opened_database() as (_, database):
        require_migrated(database)
        key = database.repeat(lambda connection: api_keys.make(connection, account, name, wanted, datetime.now(UTC)))
    if form == "json":
        print_json({"key": key, "name": name, "account": account, "scopes": list(wanted)})
        return
    click.echo(key)
    click.echo("Keep it now: only its hash is stored. It counts from now on.", err=True)


@keys.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that were revoked.")
@format_option
def list_keys(everything: bool, form: str) -> None:
    """List the applications' keys, the oldest first. The keys themselves cannot be shown."""
    with opened_database() as (_, database):
        require_migrated(database)
        with database.reading() as connection:
            found = [key for key in api_keys.every(connection) if everything or key.revoked_at is None]
    if form == "json":
        print_json([_plain(key) for key in found])
    elif found:
        print_table(("id", "name", "account", "scopes", "made", "used", "revoked"), [_cells(key) for key in found])
    else:
        print_nothing("No application has a key. `dlr keys create NAME` makes one.")


@keys.command("revoke")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End the key with this id. It is refused within five seconds."""
    (number,) = ids([key_id])
    with opened_database() as (_, database):
        require_migrated(database)
        if not database.repeat(lambda connection: api_keys.revoke(connection, number, datetime.now(UTC))):
            raise fail(f"No live key has the id {number}. `dlr keys list` shows those that are.", 1, NOT_FOUND)
    click.echo(f"Key {number} is revoked; it is refused within five seconds.")


def _scopes(key: ApiKey) -> list[str]:
    return [scope for scope in SCOPES if scope in key.scopes]


def _cells(key: ApiKey) -> tuple[Any, ...]:
    used = f"{key.used_at:%Y-%m-%d}" if key.used_at else ""
    return key.id, key.name, key.account, _scopes(key), shown(key.made_at), used, shown(key.revoked_at)


def _plain(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "account": key.account,
        "scopes": _scopes(key),
        "made_at": iso(key.made_at),
        "used_at": iso(key.used_at),
        "revoked_at": iso(key.revoked_at),
    }
