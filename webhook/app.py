"""The Flask application of the endpoint, made of its collaborators. Nothing happens on import."""

from typing import Final

from flask import Flask
from werkzeug.routing import BaseConverter

from codes.channels import CHANNELS
from config.relays import Relays
from config.settings import Settings
from store.database import Database
from store.vault import Vault
from webhook.access_log import register_access_log
from webhook.accounts import Accounts
from webhook.admission import Admission
from webhook.auth import Guard
from webhook.body import MIB
from webhook.errors import register_errors
from webhook.group_commit import GroupCommit
from webhook.health import Readiness, register_health
from webhook.incidents import Incidents, LogIncidents, Reporter
from webhook.keeping import Keeper
from webhook.receive import Receiver, register_receive
from webhook.ringer import Ringer

REPORTER: Final = "dlr_reporter"


class Everything(BaseConverter):
    """Matches whatever stands there, slashes included and at either end too."""

    regex = ".*"
    part_isolating = False


def create_app(
    settings: Settings,
    *,
    database: Database,
    vault: Vault,
    doorbell: Ringer,
    incidents: Incidents | None = None,
) -> Flask:
    """Return the endpoint. Raises `SettingsError` where the settings of authentication or accounts make no sense."""
    accounts = Accounts.from_settings(settings)
    guard = Guard.from_settings(settings, accounts)
    reporter = Reporter(incidents or LogIncidents())
    admission = Admission(settings, guard, reporter)
    app = Flask("webhook", static_folder=None, template_folder=None)
    app.extensions[REPORTER] = reporter
    app.url_map.merge_slashes = False  # it would answer a doubled slash with a redirect, which a sender may not follow
    app.url_map.strict_slashes = False
    app.url_map.converters["everything"] = Everything
    register_access_log(app)
    register_errors(app)
    relays = Relays.read(settings.relay_url, CHANNELS)
    group = GroupCommit(database, vault, settings.lock_wait)
    keeper = Keeper(database, vault, doorbell, reporter, group, relays)
    register_receive(app, Receiver(settings.max_body_mb * MIB, accounts, admission, keeper, reporter))
    register_health(app, Readiness(settings, database, doorbell))
    return app
