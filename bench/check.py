"""Look-ups in the suppression list: `python -m bench.check`.

The list gets `--entries` entries on SQLite. Then the API answers requests of 10,000 messages each, from the bytes of
the request to the bytes of the answer, beside the naive way: the same request parsed, and one SELECT for each entry,
over the same tables in the same process. The share of people who are on the list is 10 %.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config.settings import load_settings
from store import api_keys
from store.database import Database, open_database
from store.ids import new_ids
from store.migrate import migrate_database
from store.moments import to_ms
from store.schema import suppressions
from store.vault import Vault, open_vault
from store.writes import insert_rows

FIRST = 447_000_000_000


def fill(database: Database, vault: Vault, count: int) -> None:
    """Write `count` entries as rules and people make them."""
    past = to_ms(datetime.now(UTC) - timedelta(days=3))
    # In the order of the index, or filling it takes far longer than what is measured.
    people = sorted(vault.digest("address", "main", str(FIRST + of)) for of in range(count))
    for start in range(0, count, 20_000):
        part = people[start : start + 20_000]
        rows = [
            {
                "id": number,
                "account": "main",
                "address": address,
                "scope": "channel=sms;sender=;campaign=;purpose=all",
                "channel": "sms",
                "sender": "",
                "campaign": "",
                "purpose": "all",
                "cause": "recipient_unknown",
                "rule": "unknown-recipient",
                "origin": "report",
                "state": "active",
                "since": past,
                "event_at": past,
                "until": None,
                "times": 1,
                "evidence": json.dumps({"reason": "The message failed because nobody has this address." * 3}),
                "changed_at": past,
                "audit_head": bytes(32),
            }
            for number, address in zip(new_ids(len(part)), part, strict=True)
        ]
        with database.transaction() as connection:
            insert_rows(connection, suppressions, rows)


def requests(count: int, most: int, entries: int) -> list[bytes]:
    """Return bodies of `most` messages each, a tenth of them to people on the list. No person is asked for twice."""
    chance = random.Random(7)
    found = []
    for _ in range(count):
        listed = chance.sample(range(entries), most // 10)
        others = chance.sample(range(entries, entries * 20), most - len(listed))
        people = [*listed, *others]
        chance.shuffle(people)
        asked = [{"to": str(FIRST + of), "channel": "sms", "sender": "Shop", "purpose": "otp"} for of in people]
        found.append(json.dumps({"entries": asked}).encode())
    return found


def naive(database: Database, vault: Vault) -> Callable[[bytes], list[bool]]:
    """Return the way that one writes first: one SELECT for each entry."""

    def answer(body: bytes) -> list[bool]:
        now, results = datetime.now(UTC), []
        with database.reading() as connection:
            for one in json.loads(body)["entries"]:
                # Only what the index on addresses answers stands in the query: with the state in it, SQLite takes
                # the index on states for the better one and reads half of the table.
                query = select(suppressions.c.state, suppressions.c.until).where(
                    suppressions.c.account == "main",
                    suppressions.c.address == vault.digest("address", "main", one["to"]),
                    suppressions.c.channel.in_(("", one["channel"])),
                    suppressions.c.sender.in_(("", one["sender"])),
                )
                found = connection.execute(query).all()
                results.append(any(row.state == "active" and (not row.until or row.until > now) for row in found))
        return results

    return answer


def ours(database: Database, vault: Vault, state_dir: Path) -> Callable[[bytes], list[bool]]:
    """Return the API itself, without the network."""
    from flask import Flask

    from webhook.api.app import register_api
    from webhook.errors import register_errors
    from webhook.keys import KeyRing
    from webhook.opinions import Opinions

    with database.transaction() as connection:
        key = api_keys.make(connection, "main", "bench", api_keys.SCOPES, datetime.now(UTC))
    app = Flask("bench")
    app.before_request(_line)
    register_errors(app)
    opinions = Opinions(load_settings({"DLR_STATE_DIR": str(state_dir)}))
    register_api(app, keys=KeyRing(database), database=database, vault=vault, opinions=opinions, limit=2**25)
    client = app.test_client()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def answer(body: bytes) -> list[bool]:
        got = client.post("/api/v1/suppressions/check", data=body, headers=headers)
        assert got.status_code == 200, got.data[:300]
        return [one["blocked"] for one in json.loads(got.data)["results"]]

    return answer


def _line() -> None:
    from flask import g

    g.line = {}


def main() -> None:
    """Measure, alternating between the two, and print look-ups per second and their ratio."""
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--requests", type=int, default=10)
    options.add_argument("--each", type=int, default=10_000, help="messages in a request")
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/dlr.sqlite", synchronous="NORMAL")
        migrate_database(database)
        vault = open_vault(Path(folder), database)
        fill(database, vault, wanted.entries)
        bodies = requests(wanted.requests, wanted.each, wanted.entries)
        ways = {"api": ours(database, vault, Path(folder)), "naive": naive(database, vault)}
        spent: dict[str, float] = dict.fromkeys(ways, 0.0)
        answers: dict[str, list[Any]] = {name: [] for name in ways}
        for body in bodies:
            for name, way in ways.items():
                begin = time.perf_counter()
                answers[name].append(way(body))
                spent[name] += time.perf_counter() - begin
        assert answers["api"] == answers["naive"], "the two ways disagree"
        total = wanted.requests * wanted.each
        rates = {name: total / seconds for name, seconds in spent.items()}
        print(f"{wanted.entries:,} entries, {wanted.requests} requests of {wanted.each:,} messages, one process")
        for name, rate in rates.items():
            print(f"{name:6} {rate:10,.0f} look-ups/s")
        print(f"ratio  {rates['api'] / rates['naive']:10.1f}")
        database.close()


if __name__ == "__main__":
    main()
