"""One installation that is to be set up at a simulated Infobip: its commands, its endpoint, and what both hold."""

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from infobip.simulator import Simulator
from store.database import Database, open_database
from tests.support.dlr import Dlr
from tests.support.infobip import KEY, call, send, sms
from tests.webhook.world import TOKEN, Endpoint, body_of

BASE = "/subscriptions/1"
NOWHERE = "http://127.0.0.1:9"


@dataclass
class Place:
    """The commands run with `dlr`; `endpoint` is a process of its own where a test needs one."""

    dlr: Dlr
    infobip: Simulator
    folder: Path
    endpoint: Endpoint | None = None
    sent: list[str] = field(default_factory=list)

    def create(self, *words: str, **settings: str) -> str:
        return self.dlr("subscribe", "create", "--yes", *(words or ("--channel", "sms")), **settings)

    def start(self, auth: str = "hmac") -> Endpoint:
        """Set up with signatures, and with the endpoint that checks them."""
        self.dlr.settings |= {"DLR_AUTH": auth, "DLR_PUBLIC_URL": NOWHERE}
        self.create()
        self.endpoint = self.endpoint_for(auth)
        self.dlr.settings["DLR_PUBLIC_URL"] = self.endpoint.url
        self.create()
        return self.endpoint

    def endpoint_for(self, auth: str) -> Endpoint:
        database = self.dlr.settings["DLR_DATABASE_URL"]
        return Endpoint(self.folder, DLR_AUTH=auth, DLR_DATABASE_URL=database)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Open the installation's database."""
        opened = open_database(self.dlr.settings["DLR_DATABASE_URL"])
        try:
            yield opened
        finally:
            opened.close()

    @property
    def ledger(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "subscriptions.json").read_text())
        found: dict[str, Any] = content["accounts"].get("main", {})
        return found

    def secrets(self, state: str) -> list[str]:
        return [one["secret"] for one in self.ledger["secrets"] if one["state"] == state]

    def post(self, secret: str, path: str = "/webhook/sms") -> int:
        """Post a callback that is signed with a secret, as Infobip would; return the status."""
        assert self.endpoint is not None
        body = body_of()
        digest = hmac.new(secret.encode(), body, "sha256").hexdigest()
        headers = {"Content-Type": "application/json", "x-hub-signature": f"sha256={digest}"}
        return self.endpoint.post(body, path, headers=headers).status_code

    def send(self) -> None:
        """Send an SMS through the simulated Infobip and wait until its report was posted."""
        name = f"m-{len(self.sent)}"
        self.sent.append(name)
        send(self.infobip, sms(message_id=name))
        self.infobip.settle()

    def first_answers(self) -> list[Any]:
        """Return how the endpoint answered the first attempt of each callback of Infobip."""
        return [one["attempts"][0]["answer"] for one in self.infobip.callbacks()]

    def at_infobip(self, path: str) -> requests.Response:
        return call(self.infobip, "GET", f"{BASE}/{path}")

    def made(self, method: str) -> int:
        """Return how many requests of a method the Subscriptions API got."""
        return sum(n for name, n in self.infobip.world.requests.items() if name.startswith(f"{method} {BASE}"))

    def secret_at_infobip(self, name: str = "dlr-main") -> str:
        return str(self.infobip.world.subscriptions.securities[name]["credentials"]["secretKey"])


def settings(folder: Path, infobip: Simulator) -> dict[str, str]:
    """Return the settings of an installation whose account is the simulator's."""
    return {
        "DLR_STATE_DIR": str(folder),
        "DLR_DATABASE_URL": f"sqlite:///{folder / 'dlr.sqlite'}",
        "DLR_URL_TOKEN": TOKEN,
        "DLR_PUBLIC_URL": "https://dlr.example.com",
        "DLR_INFOBIP_URL": infobip.url,
        "DLR_INFOBIP_KEY": KEY,
    }
