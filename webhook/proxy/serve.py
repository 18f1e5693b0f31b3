"""Runs the pass-through under a gunicorn of its own: `python -m webhook.proxy`, or `run(settings)`.

Its threads wait for Infobip. Those of the endpoint are others, in other processes, so that a hanging Infobip delays no
callback.
"""

import sys
from dataclasses import replace
from typing import Any, Final

from flask import Flask

from codes import TableError
from codes.channels import CHANNELS
from config.collector import calm_collector
from config.forwarding import ForwardFile
from config.logs import set_up_logs
from config.settings import Settings, SettingsError, load_settings
from infobip.outbound.transport import Patience, Transport
from policy import PolicyError
from store.database import open_database
from store.events import told_to
from webhook.proxy.app import create_app
from webhook.serve import CLOSE, Server, make_ringer, patient_vault

_POOL: Final = 12
_LONGEST_ANSWER: Final = 32 * 1024 * 1024


def app_from(settings: Settings) -> Flask:
    """Open database and keys, and return the application on them. Call it after the fork: it opens connections."""
    calm_collector()
    database = open_database(
        settings.database,
        synchronous=settings.sqlite_synchronous,
        lock_wait=settings.lock_wait,
        statement_timeout=settings.lock_wait * 2,
        pool=min(settings.proxy_threads + 2, _POOL),
    )
    told_to(database, ForwardFile(settings.forward, frozenset(CHANNELS)).endpoints)
    vault = patient_vault(settings, database)
    longest = settings.proxy_timeout.total_seconds()
    patience = replace(Patience(), answer=longest, total=longest)
    transport = Transport(patience, largest_answer=_LONGEST_ANSWER, adds=False)
    ringer = make_ringer(settings)
    try:
        app = create_app(settings, database=database, vault=vault, transport=transport, doorbell=ringer)
    except (PolicyError, TableError) as error:
        raise SettingsError(f"DLR_POLICY or DLR_CODES_LOCAL: {error}") from error

    def close() -> None:
        transport.close()
        ringer.close()
        database.close()

    app.extensions[CLOSE] = close
    return app


class ProxyServer(Server):
    """gunicorn for `/proxy` and `/api`."""

    def options(self) -> dict[str, Any]:
        """Return those of the endpoint, with its own address, and threads that can wait."""
        settings = self.settings
        return {
            **super().options(),
            "bind": settings.proxy_bind,
            "workers": settings.proxy_workers,
            "threads": settings.proxy_threads,
            "graceful_timeout": int(settings.proxy_timeout.total_seconds()) + 5,
            "limit_request_line": 8190,  # queries of Infobip's logs list many ids
            "proc_name": "dlr-proxy",
        }

    def make(self) -> Flask:
        """Make the application."""
        return app_from(self.settings)


def run(settings: Settings) -> None:
    """Serve until a signal ends it. SIGTERM lets running requests finish."""
    set_up_logs(settings.log_format, settings.log_level)
    ProxyServer(settings).run()


def main() -> None:
    """Serve what the environment describes; say what is wrong with it in one message."""
    try:
        run(load_settings())
    except SettingsError as error:
        sys.exit(f"The settings cannot be used:\n{error}")
