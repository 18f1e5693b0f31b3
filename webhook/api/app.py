"""The routes of the API."""

import json
from collections.abc import Callable

from flask import Flask, Response

from store.database import Database
from store.vault import Vault
from webhook.api.check import CheckView
from webhook.api.door import Door
from webhook.api.errors import NothingGood
from webhook.api.incidents import IncidentsView
from webhook.api.sends import SendsView
from webhook.api.suppressions import AddView, LiftView, ListView
from webhook.errors import error_answer
from webhook.keys import KeyRing
from webhook.opinions import Opinions


def register_api(
    app: Flask, *, keys: KeyRing, database: Database, vault: Vault, opinions: Opinions, limit: int
) -> None:
    """Serve `/api/v1`."""
    door = Door(keys, limit)
    sends = SendsView(door, database, vault, opinions)
    app.add_url_rule("/api/v1/sends", "sends", sends, methods=["POST"], provide_automatic_options=False)
    views: dict[str, Callable[[], Response]] = {
        "check": CheckView(door, database, vault, opinions),
        "list": ListView(door, database, vault),
        "add": AddView(door, database, vault),
        "lift": LiftView(door, database, vault),
    }
    for name, view in views.items():
        path = f"/api/v1/suppressions/{name}"
        app.add_url_rule(path, f"suppressions-{name}", view, methods=["POST"], provide_automatic_options=False)
    for verb in ("ack", "resolve"):
        change = IncidentsView(door, database, verb)
        where = f"/api/v1/incidents/{verb}"
        app.add_url_rule(where, f"incidents.{verb}", change, methods=["POST"], provide_automatic_options=False)
    app.register_error_handler(NothingGood, _nothing_good)


def _nothing_good(error: NothingGood) -> Response:
    answer = error_answer(error)
    content = answer.get_json() | {"registered": 0, "refused": error.refused}
    answer.set_data(json.dumps(content))
    return answer
