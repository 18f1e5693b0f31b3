"""On-call tools acknowledge and resolve incidents of their own account, by ids in the body."""

from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from store import api_keys, incidents, schema
from store.incidents import Sighting
from tests.proxy.world import World


def opened(world: World, account: str = "main") -> str:
    """Open an incident; return its id."""
    now = datetime.now(UTC)
    seen = Sighting(account, f"key of {account}", "rule", "warning", "title", "next", now)

    def write(connection: Any) -> str:
        incidents.note(connection, [seen])
        return str(incidents.fold(connection, now)[0].id)

    return world.database.repeat(write)


def post(world: World, verb: str, body: Any, key: str = "") -> TestResponse:
    headers = {"Authorization": f"Bearer {key or world.key}"}
    return world.app().test_client().post(f"/api/v1/incidents/{verb}", json=body, headers=headers)


def test_incidents_are_acknowledged_and_resolved_with_a_name(world: World) -> None:
    number = opened(world)
    answer = post(world, "ack", {"ids": [number], "who": "eve"})
    assert (answer.status_code, answer.get_json()) == (200, {"acknowledged": [number], "unchanged": []})
    assert post(world, "ack", {"ids": [number]}).get_json() == {"acknowledged": [], "unchanged": [number]}
    assert post(world, "resolve", {"ids": [number]}).get_json() == {"resolved": [number], "unchanged": []}
    events = [(row.change, row.who) for row in world.rows(schema.incident_events)]
    assert events == [("opened", ""), ("acknowledged", "eve (test)"), ("resolved", "test")]


def test_a_name_that_is_an_address_is_kept_masked(world: World) -> None:
    number = opened(world)
    assert post(world, "ack", {"ids": [number], "who": " ada@example.com\n"}).status_code == 200
    assert [row.who for row in world.rows(schema.incident_events)] == ["", "…@example.com (test)"]


def test_another_accounts_incident_stays_as_it_is(world: World) -> None:
    number = opened(world, "shop")
    assert post(world, "resolve", {"ids": [number]}).get_json() == {"resolved": [], "unchanged": [number]}


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"]}, {"ids": "1"}, {"ids": ["9" * 30]}])
def test_what_is_no_list_of_ids_is_refused_with_the_fix(world: World, body: Any) -> None:
    answer = post(world, "ack", body)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["code"] == "bad_ids"


def test_a_key_without_the_scope_is_refused(world: World) -> None:
    def make(connection: Any) -> str:
        return api_keys.make(connection, "main", "other", ["sends:write"], datetime.now(UTC))

    answer = post(world, "ack", {"ids": ["1"]}, world.database.repeat(make))
    assert answer.status_code == 403
