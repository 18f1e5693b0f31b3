"""Relay: pass callbacks on as they came, to an application that is used to getting them itself."""

import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

from sqlalchemy import Connection

from config.relays import Relays, RelayTarget
from store.database import Database
from store.incidents import Sighting
from store.outbox import Delivery
from store.raw import Raw
from store.relays import hand_over, open_raw
from store.vault import Vault
from workers.actions.addresses import PrivateAddress
from workers.actions.judging import judge
from workers.actions.post import NoAnswer, Poster, Road, make_tls
from workers.actions.relay_incidents import given_up, refusal_or_outage
from workers.actions.results import Outcome, Result
from workers.actions.sieve import Sieve
from workers.passing import MARK

# A callback that has come through as many relays goes in a circle.
_MOST_RELAYS: Final = 3
# RFC 9110 7.6.1, and what the next connection says for itself. The door drops them too; a stored row is not trusted.
_NOT_PASSED_ON: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        MARK.lower(),
    }
)


def body_to_relay(raw: Raw) -> bytes:
    """Return the bytes that are passed on: those that came, unless the sieve left others."""
    return raw.body


def headers_to_relay(raw: Raw, callback_id: int) -> list[tuple[str, str]]:
    """Return the headers that are passed on: all but those of the connection, and one that names the callback."""
    passed = [(name, value) for name, value in raw.headers.items() if name.lower() not in _NOT_PASSED_ON]
    return [*passed, (MARK, ", ".join([*_marks(raw.headers), str(callback_id)]))]


def _marks(headers: Mapping[str, str]) -> list[str]:
    found = [value for name, value in headers.items() if name.lower() == MARK.lower()]
    return [mark.strip() for value in found for mark in value.split(",") if mark.strip()]


class RelayLane:
    """The way to one relay target."""

    def __init__(self, database: Database, vault: Vault, poster: Poster, sieve: Sieve) -> None:
        self._database = database
        self._vault = vault
        self._poster = poster
        self._sieve = sieve

    def close(self) -> None:
        """End the connection."""
        self._poster.close()

    def send(self, delivery: Delivery, now: datetime) -> Result:
        """Post the callback once."""
        raw = open_raw(self._database, self._vault, delivery)
        if raw is None:
            return Result(Outcome.LOST, "the callback is kept no longer")
        if len(_marks(raw.headers)) >= _MOST_RELAYS:
            return Result(Outcome.LOST, f"it has come through {_MOST_RELAYS} relays already and goes in a circle")
        raw = self._sieve.without_ours(delivery.subject, raw)
        if raw is None:
            return Result(Outcome.DONE, "not sent: it holds nothing but reports on our own resends")
        try:
            answer = self._poster.post(headers_to_relay(raw, delivery.subject), body_to_relay(raw))
        except PrivateAddress:
            return Result(Outcome.FORBIDDEN, "its address is in a private network and DLR_RELAY_PRIVATE is not true")
        except NoAnswer as error:
            return Result(Outcome.DOWN, str(error))
        return judge(answer, now)


class RelayKind:
    """Rows that pass callbacks on."""

    def __init__(self, relays: Relays, road: Road, database: Database, vault: Vault, sieve: Sieve) -> None:
        self._relays = relays
        self._targets: Mapping[str, RelayTarget] = relays.by_key()
        self._road = road
        self._database = database
        self._vault = vault
        self._sieve = sieve

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return make_tls()

    def lane(self, target: str) -> RelayLane | None:
        """Return a way to a target that is configured."""
        found = self._targets.get(target)
        if found is None:
            return None
        poster = Poster(found, self._road, self._tls if found.secure else None)
        return RelayLane(self._database, self._vault, poster, self._sieve)

    def strand(self, connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> str:
        """Hand what waited for a target that DLR_RELAY_URL no longer names to those that it names instead."""
        hand_over(connection, self._relays, deliveries, now)
        return "DLR_RELAY_URL does not name this target any more; what it names instead has taken over"

    def sighting(self, delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
        """Return the outage or the refusal that a failed attempt is a sign of."""
        return refusal_or_outage(delivery, result, now)

    def lost(self, account: str, target: str, reason: str, now: datetime, count: int = 1) -> Sighting:
        """Return that callbacks were given up."""
        return given_up(account, target, reason, now, count)
