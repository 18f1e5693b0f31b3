"""Reports go on to the URL that an application named with its message, where ours stands in its place."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.settings import load_settings
from infobip.inbound import read
from store import aliases, sends
from store.aliases import Original
from store.inbox import Arrival, keep
from store.messages import key_of
from store.schema import incident_deltas, outbox
from store.sends import Send
from tests.relay.world import Target, World, serving, status
from tests.support.desk import PERSON, report
from workers.context import open_context
from workers.forget import forget_person


class Installation(World):
    """One with a register, and a worker."""

    def __init__(self, url: str, folder: Path, relay_url: str, private: bool = True, **more: str) -> None:
        super().__init__(url, folder, relay_url, private)
        self.context.database.close()
        self.environ |= more
        self.context = open_context(load_settings(self.environ))

    def register(self, url: str, message_id: str = "m-1", **more: Any) -> Send:
        vault = self.context.vault
        send = Send(
            **{
                "key": key_of(vault, "main", message_id, PERSON),
                "account": "main",
                "message_id": message_id,
                "recipient": vault.hash_address("main", PERSON),
                "channel": "sms",
                "sent_at": datetime.now(UTC),
                "endpoint": "sms-3",
                "path": "/sms/3/messages",
                "report_url": vault.seal(url.encode()),
                **more,
            }
        )
        with self.database.transaction() as connection:
            sends.register(connection, [send], datetime.now(UTC))
        return send

    def handle(self, *items: Any, trusted: bool = True, channel: str = "sms") -> None:
        body = json.dumps({"results": items}).encode()
        arrival = Arrival("main", channel, "application/json", body, datetime.now(UTC), trusted)
        with self.database.transaction() as connection:
            keep(connection, self.context.vault, arrival)
        self.context.drain.run(30)
        self.clock.now = datetime.now(UTC)

    def titles(self) -> list[str]:
        with self.database.reading() as connection:
            return list(connection.scalars(select(incident_deltas.c.title)))


@pytest.fixture
def target() -> Iterator[Target]:
    with serving() as served:
        yield served


@pytest.fixture
def installation(database_url: str, database: object, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(database_url, tmp_path / "state", "")
    yield made
    made.close()


def results(target: Target) -> list[dict[str, Any]]:
    return [item for seen in target.seen for item in json.loads(seen.body)["results"]]


def test_a_report_goes_there_as_infobip_would_post_it(installation: Installation, target: Target) -> None:
    installation.register(target.url)
    told = report("m-1", 9, 27, price={"pricePerMessage": 0.01, "currency": "EUR"}, callbackData="order=7", new=[1, {}])
    installation.handle(told, report("m-2", to="447700900456"))
    installation.send()

    [seen] = target.seen
    assert seen.path == "/dlr?key=k3y"
    assert seen.header("Content-Type") == "application/json"
    assert json.loads(seen.body) == {"results": [told]}
    reading = read(seen.body, "application/json", "sms", account="main")
    assert reading.faults == ()


def test_each_report_goes_there_once(installation: Installation, target: Target) -> None:
    installation.register(target.url)
    for told in (report("m-1", 7, minute=0), report("m-1", 5, minute=1), report("m-1", 5, minute=1)):
        installation.handle(told)
    installation.send()
    installation.send()

    assert [item["status"]["id"] for item in results(target)] == [7, 5]


def test_a_report_on_a_resend_is_told_under_the_id_that_the_application_knows(
    installation: Installation, target: Target
) -> None:
    send = installation.register(target.url)
    vault = installation.context.vault
    with installation.database.transaction() as connection:
        alias = key_of(vault, "main", "m-1-r1", PERSON)
        aliases.add(connection, alias, "main", Original(send.key, 1), datetime.now(UTC))
    installation.handle(report("m-1-r1"))
    installation.send()

    assert results(target) == [report("m-1")]


def test_what_waits_is_sealed_and_names_neither_the_secret_in_the_url_nor_the_person(
    installation: Installation, target: Target
) -> None:
    installation.register(target.url)
    installation.handle(report("m-1"))

    [row] = installation.rows()
    assert (row.kind, row.state) == ("report", "due")
    plain = repr([value for name, value in row._mapping.items() if name != "payload"])
    assert "k3y" not in plain
    assert PERSON.encode() not in row.payload
    assert b"k3y" not in row.payload


def test_it_is_tried_again(installation: Installation, target: Target) -> None:
    target.replies = [status(503)]
    installation.register(target.url)
    installation.handle(report("m-1"))
    installation.send()
    assert installation.states() == ["due"]

    installation.clock.later(minutes=2)
    installation.send()
    assert installation.states() == ["done"]
    assert len(target.seen) == 2


def test_it_is_signed_as_infobips_are(database_url: str, database: object, tmp_path: Path, target: Target) -> None:
    made = Installation(database_url, tmp_path / "state", "", DLR_HMAC_SECRET="shared")
    made.register(target.url)
    made.handle(report("m-1"))
    made.register(target.url, "m-2")
    made.handle(report("m-2"), trusted=False)
    made.send()
    made.close()

    first, second = target.seen
    signed = "sha256=" + hmac.new(b"shared", first.body, hashlib.sha256).hexdigest()
    assert first.header("x-hub-signature") == signed
    assert second.header("x-hub-signature") is None


def test_a_private_address_is_refused_and_said(
    database_url: str, database: object, tmp_path: Path, target: Target
) -> None:
    made = Installation(database_url, tmp_path / "state", "", private=False)
    made.register(target.url)
    made.handle(report("m-1"))
    made.send()

    assert target.seen == []
    assert made.states() == ["due"]
    [title] = made.titles()
    assert "private network" in title
    assert "k3y" not in title
    made.close()


def test_a_url_that_nothing_can_be_posted_to_is_said(installation: Installation) -> None:
    installation.register("ftp://app.example.com/k3y")
    installation.handle(report("m-1"))

    assert installation.rows() == []
    [title] = [title for title in installation.titles() if "URL that an application names" in title]
    assert "k3y" not in title


def test_a_message_without_a_url_of_its_own_goes_nowhere(installation: Installation) -> None:
    installation.register("", report_url=b"")
    installation.handle(report("m-1"))

    assert installation.rows() == []


def test_where_the_relay_has_the_same_target_it_is_not_told_twice(
    database_url: str, database: object, tmp_path: Path, target: Target
) -> None:
    made = Installation(database_url, tmp_path / "state", f"sms={target.url}")
    made.register(target.url)
    made.handle(report("m-1"))
    rows = made.rows()
    made.close()

    assert [row.kind for row in rows if row.kind == "report"] == []


def test_who_is_forgotten_is_reported_on_no_more(installation: Installation, target: Target) -> None:
    target.always = status(503)
    installation.register(target.url)
    installation.handle(report("m-1"))
    installation.send()
    forget_person(installation.database, installation.context.vault, PERSON, ["main"])

    with installation.database.reading() as connection:
        assert connection.execute(select(outbox)).all() == []
