"""`python -m cli.demo.play PROXY_PORT RECEIVER_PORT API_KEY`: send, watch what becomes of it, and tell."""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import requests

from cli.demo.findings import Findings, look
from cli.demo.told import told
from cli.demo.traffic import MESSAGES, Application, Line, batches
from cli.supervisor.welcome import program, state
from config.accounts import MAIN
from config.settings import Settings, load_settings
from store import api_keys, people
from store.database import Database, open_database
from store.vault import open_vault

_PATIENCE: Final = 60.0
_LOOK: Final = 0.5
_SAY_EVERY: Final = 5.0


def main() -> int:
    """Play. Return 0 where everything happened within a minute."""
    port, listen, api_key = sys.argv[1:4]
    settings = load_settings()
    database = open_database(settings.database, pool=2)
    try:
        application = Application(f"http://127.0.0.1:{port}/proxy/{_key(database)}", api_key)
        return _play(settings, database, application, f"http://127.0.0.1:{listen}/")
    except requests.RequestException as error:
        print(f"The pass-through, or the receiver of alerts, did not answer as it should: {type(error).__name__}")
        return 1
    finally:
        database.close()


def _key(database: Database) -> str:
    with database.transaction() as connection:
        return api_keys.make(connection, MAIN, "demo", (api_keys.PROXY,), datetime.now(UTC))


def _play(settings: Settings, database: Database, application: Application, receiver: str) -> int:
    sent = sum(len(application.send(lines)) for lines in batches())
    print(f"{sent} messages were sent through the pass-through, as an application would send them to Infobip.")
    findings = _watch(database, receiver)
    if not findings.complete:
        print(f"Within {_PATIENCE:.0f} seconds there was not yet: {', '.join(findings.missing)}.")
        return 1
    for line in _end(settings, database, application, findings):
        print(line)
    return 0


def _watch(database: Database, receiver: str) -> Findings:
    """Wait until everything has happened, for a minute at most."""
    until = time.monotonic() + _PATIENCE
    say_at = time.monotonic() + _SAY_EVERY
    findings = look(database, _titles(receiver))
    while not findings.complete and time.monotonic() < until:
        time.sleep(_LOOK)
        findings = look(database, _titles(receiver))
        if time.monotonic() >= say_at and not findings.complete:
            print(f"... {findings.reported} of {MESSAGES} reported on; waiting for {', '.join(findings.missing)}")
            say_at += _SAY_EVERY
    return findings


def _titles(receiver: str) -> list[str]:
    with requests.Session() as session:
        session.trust_env = False  # a proxy that the environment names is no way to this machine
        titles: list[str] = session.get(receiver, timeout=_PATIENCE).json()
        return titles


def _end(settings: Settings, database: Database, application: Application, findings: Findings) -> Iterator[str]:
    assert findings.suppressed is not None
    address = _address(settings, database, bytes(findings.suppressed.address))
    [answer] = application.send([Line("demo-again", address, "Fernhill", "Your order is on its way again")])
    yield from told(findings, answer["status"], f"{state(settings)}{program()}")


def _address(settings: Settings, database: Database, hashed: bytes) -> str:
    vault = open_vault(settings.state_dir, database)
    with database.reading() as connection:
        return people.address_of(connection, vault, hashed)


if __name__ == "__main__":
    sys.exit(main())
