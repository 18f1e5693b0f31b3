"""All parts of one installation, until a signal ends it."""

import os
import sys
from pathlib import Path

from cli.supervisor.composition import parts_of
from cli.supervisor.first_key import greeting, serves_applications
from cli.supervisor.lock import AlreadyRunning, take_lock
from cli.supervisor.loop import Supervisor
from cli.supervisor.preflight import preflight
from cli.supervisor.probe import split_address, why_taken
from cli.supervisor.roles import warm_up
from cli.supervisor.screen import Screen
from cli.supervisor.valkey import NoBroker, prepare
from cli.supervisor.welcome import cheapest_checks, welcome
from config.settings import Settings, SettingsError, load_settings, set_for_children
from webhook.first_token import ensure_url_token


def main() -> int:
    """Run it. Return 0 after a stop by signal, 1 where it could not start, 2 where the settings are wrong."""
    # Everything made from here on, by the parts too, is for this user alone.
    os.umask(0o077)
    try:
        return run(load_settings())
    except SettingsError as error:
        return _fail(f"These settings are wrong:\n{error}", 2)
    except ValueError as error:
        return _fail(str(error), 2)
    except (AlreadyRunning, NoBroker) as error:
        return _fail(str(error), 1)
    except OSError as error:
        return _fail(f"Could not start: {error}", 1)
    except KeyboardInterrupt:
        return 0


def run(settings: Settings) -> int:
    """Take the state folder and run all parts in it."""
    state_dir = settings.state_dir.absolute()
    _make(state_dir)
    held = take_lock(state_dir)
    _look_at(settings.web_bind, "DLR_WEB_BIND")
    if serves_applications(settings):
        _look_at(settings.proxy_bind, "DLR_PROXY_BIND")
    token = ensure_url_token(settings)[0] if "token" in cheapest_checks(settings) else ""
    preflight(settings)
    valkey = None if settings.redis_url else prepare(state_dir)
    parts = parts_of(settings, valkey)
    form = _form(settings)
    set_for_children({"DLR_LOG_FORMAT": form})
    if valkey is not None:
        set_for_children({"DLR_REDIS_URL": valkey.url})
    screen = Screen(as_json=form == "json", names=[part.name for part in parts])

    def greet() -> None:
        print(welcome(settings, token, show_secrets=sys.stdout.isatty()), flush=True)
        if told := greeting(settings):
            print(told, flush=True)

    return Supervisor(parts, screen, on_ready=greet, warm_up=warm_up, held=(held,)).run()


def _look_at(bind: str, name: str) -> None:
    """Raise `OSError` where nothing can listen there, and `ValueError` where it is no address."""
    host, port = split_address(bind, name)
    if reason := why_taken(host, port):
        raise OSError(f"nothing can listen on {bind} ({reason}); choose another address with {name}")


def _make(state_dir: Path) -> None:
    try:
        state_dir.parent.mkdir(parents=True, exist_ok=True)
        state_dir.mkdir(mode=0o700, exist_ok=True)
        writable = os.access(state_dir, os.R_OK | os.W_OK | os.X_OK)
        reason = "" if writable else "this user may not write there"
    except FileExistsError:
        reason = "it is a file"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise OSError(
            f"the state folder {state_dir} cannot be used ({reason}); give it to this user, "
            "or choose another with DLR_STATE_DIR"
        )


def _form(settings: Settings) -> str:
    """Return the form of log lines: the parts write into pipes and cannot see whether there is a terminal behind."""
    if settings.log_format == "auto":
        return "console" if sys.stderr.isatty() else "json"
    return settings.log_format


def _fail(message: str, code: int) -> int:
    print(f"Error: {message}", file=sys.stderr)
    return code
