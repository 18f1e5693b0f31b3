"""Runs the endpoint under gunicorn: `python -m webhook`, or `run(settings)`."""

import sys
import time
from pathlib import Path
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from codes.channels import CHANNELS
from config.broker import Doorbell, make_broker
from config.collector import calm_collector
from config.logs import log, set_up_logs
from config.settings import Settings, SettingsError, load_settings
from store.database import Database, open_database
from store.errors import StoreError, Unavailable
from store.revision import require_migrated
from store.vault import Vault, open_vault
from webhook.accounts import Accounts
from webhook.app import REPORTER, create_app
from webhook.auth import Guard
from webhook.ringer import Bell, Ringer
from webhook.self_test import start_self_test
from webhook.server_log import ServerLog
from webhook.store_incidents import StoreIncidents

_log = log(__name__)
CLOSE: Final = "dlr_close"
# How long a starting worker waits for a database that is still coming up. gunicorn gives it 30 s.
_PATIENCE: Final = 20.0
_TMPFS: Final = Path("/dev/shm")  # noqa: S108 - gunicorn makes an unlinked file of its own there


def app_from_environment() -> Flask:
    """Return the application that the environment describes. Call it after the fork: it opens connections."""
    return app_from(load_settings())


def app_from(settings: Settings) -> Flask:
    """Open database, keys and broker, and return the application on them."""
    calm_collector()
    database = open_database(
        settings.database,
        synchronous=settings.sqlite_synchronous,
        lock_wait=settings.lock_wait,
        statement_timeout=settings.lock_wait * 2,
        pool=settings.web_threads + 2,
    )
    vault = patient_vault(settings, database)
    ringer = make_ringer(settings)
    app = create_app(settings, database=database, vault=vault, doorbell=ringer, incidents=StoreIncidents(database))

    stop = start_self_test(settings, database)

    def close() -> None:
        stop()
        app.extensions[REPORTER].close()
        ringer.close()
        database.close()

    app.extensions[CLOSE] = close
    return app


def patient_vault(settings: Settings, database: Database) -> Vault:
    """Open the keys once the database is there. Raises `StoreError` where it does not come up in time."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            require_migrated(database)
            return open_vault(settings.state_dir, database)
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise
            _log.warning("the database is not there yet", reason=str(error))
            time.sleep(0.5)


def make_ringer(settings: Settings) -> Ringer:
    """Return the way to ring for the workers."""
    url = settings.redis_url
    bell = Bell(url) if url.startswith(("redis", "unix", "valkey")) else None
    return Ringer(Doorbell(make_broker(url)), bell)


def check_settings(settings: Settings) -> None:
    """Raise `SettingsError` for what the endpoint cannot start with; log what it starts with."""
    guard = Guard.from_settings(settings, Accounts.from_settings(settings))
    if settings.default_channel and settings.default_channel not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise SettingsError(f"DLR_DEFAULT_CHANNEL: {settings.default_channel!r} is none of {known}")
    if not settings.redis_url:
        _log.warning("no broker is set, so nobody rings the workers; their sweep finds callbacks within seconds")
    if settings.allow_unauthenticated:
        _log.warning("anybody may post; nobody is suppressed or resent to on the strength of a callback")
    else:
        _log.info("callbacks are checked", auth=guard.describe(), unused=", ".join(guard.unused))


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn, set up from our settings alone: neither its environment variables nor its files are read."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__(prog="dlr-web")

    def load_config(self) -> None:
        """Translate the settings."""
        for name, value in self.options().items():
            self.cfg.set(name, value)

    def options(self) -> dict[str, Any]:
        """Return gunicorn's settings."""
        settings = self.settings
        return {
            "bind": settings.web_bind,
            "workers": settings.web_workers,
            "threads": settings.web_threads,
            "worker_class": "webhook.worker.DeadlineWorker",
            "worker_tmp_dir": str(_TMPFS) if _TMPFS.is_dir() else None,
            "timeout": 30,
            "graceful_timeout": 20,
            "keepalive": 75,  # longer than what proxies keep: whoever closes first must not meet a request on its way
            "max_requests": 50_000,
            "max_requests_jitter": 5_000,
            "preload_app": False,
            "limit_request_line": 4094,
            "limit_request_fields": 100,
            # Addresses are read from X-Forwarded-For by ourselves; this only lets a proxy name the scheme.
            "forwarded_allow_ips": "*" if settings.trusted_proxies else "",
            "forwarder_headers": "",
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": settings.log_level.lower(),
            "logger_class": ServerLog,
            "proc_name": "dlr-web",
            "worker_exit": _worker_exit,
        }

    def load(self) -> Flask:
        """Return the application, in the worker's own process."""
        try:
            return self.make()
        except (StoreError, SettingsError, OSError) as error:
            _log.error("the endpoint cannot start", reason=str(error))
            sys.exit(Arbiter.APP_LOAD_ERROR)

    def make(self) -> Flask:
        """Make the application."""
        return app_from(self.settings)


def _worker_exit(server: Any, worker: Any) -> None:
    app = getattr(worker, "wsgi", None)
    if isinstance(app, Flask):
        app.extensions[CLOSE]()


def run(settings: Settings) -> None:
    """Serve until a signal ends it. SIGTERM lets running requests finish."""
    set_up_logs(settings.log_format, settings.log_level)
    check_settings(settings)
    Server(settings).run()


def main() -> None:
    """Serve what the environment describes; say what is wrong with it in one message."""
    try:
        run(load_settings())
    except SettingsError as error:
        sys.exit(f"The settings cannot be used:\n{error}")
