"""Events for the customer's own endpoints: signed, and with no more of people than is switched on."""

import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from config.forwarding import ADDRESS, Endpoint, Endpoints
from config.mask import mask
from store.database import Database
from store.events import Kept, address_of, open_event
from store.incidents import Sighting, note
from store.outbox import Delivery
from store.vault import Vault
from workers.actions import forward_incidents
from workers.actions.addresses import PrivateAddress
from workers.actions.judging import judge_endpoint
from workers.actions.post import NoAnswer, Poster, Road, make_tls
from workers.actions.results import Outcome, Result
from workers.actions.signed import body_of, signed

NO_ROUTE = "no forward route of that name"


def webhook_id(number: int) -> str:
    """Return what a receiver tells repetitions of an event by."""
    return f"evt_{number}"


def data_of(kept: Kept, endpoint: Endpoint, vault: Vault) -> dict[str, Any]:
    """Return an event's data as this endpoint may see them: people are masked unless it is switched on."""
    data: dict[str, Any] = {"account": kept.account}
    if kept.channel:
        data["channel"] = kept.channel
    if ADDRESS in endpoint.include:
        data["to"] = address_of(vault, kept)
    elif kept.domain:
        data["to"] = mask(f"@{kept.domain}")
    elif kept.tail:
        data["to"] = f"…{kept.tail}"
    return {**data, **kept.data}


class ForwardLane:
    """The way to one endpoint."""

    def __init__(self, endpoint: Endpoint, database: Database, vault: Vault, poster: Poster) -> None:
        self._endpoint = endpoint
        self._database = database
        self._vault = vault
        self._poster = poster

    def close(self) -> None:
        """End the connection."""
        self._poster.close()

    def send(self, delivery: Delivery, now: datetime) -> Result:
        """Post the event once."""
        kept = open_event(self._database, delivery.subject)
        if kept is None:
            return Result(Outcome.LOST, "the event is kept no longer")
        if not self._endpoint.serves(kept.account):
            return Result(Outcome.LOST, f"its `accounts` do not name {kept.account}")
        body = body_of(kept.kind, kept.at, data_of(kept, self._endpoint, self._vault))
        return self.post(webhook_id(kept.id), body, now)

    def post(self, number: str, body: bytes, now: datetime) -> Result:
        """Post a body once, signed for now."""
        try:
            secrets = self._endpoint.secret.values()
        except OSError as error:
            return Result(Outcome.FAULT, f"its secret cannot be read: {error.strerror}")
        try:
            answer = self._poster.post(signed(secrets, number, now, body), body)
        except PrivateAddress:
            return Result(Outcome.FORBIDDEN, "its address is in a private network, and it has no private = true")
        except NoAnswer as error:
            return Result(Outcome.DOWN, str(error))
        return judge_endpoint(answer, now)


class ForwardKind:
    """Rows that tell events."""

    def __init__(self, endpoints: Endpoints, road: Road, database: Database, vault: Vault) -> None:
        self._endpoints = endpoints
        self._road = road
        self._database = database
        self._vault = vault

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return make_tls()

    def lane(self, target: str) -> ForwardLane | None:
        """Return a way to an endpoint that is configured."""
        found = self._endpoints.by_name.get(target)
        if found is None:
            return None
        road = replace(self._road, private=found.private)
        poster = Poster(found.target, road, self._tls if found.target.secure else None)
        return ForwardLane(found, self._database, self._vault, poster)

    def strand(self, connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> str:
        """Tell a person that there is no endpoint of that name, or none any more."""
        note(connection, [self.lost(one.account, one.target, NO_ROUTE, now) for one in deliveries])
        return NO_ROUTE

    def sighting(self, delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
        """Return the outage or the refusal that a failed attempt is a sign of."""
        return forward_incidents.trouble(delivery, result, now)

    def lost(self, account: str, target: str, reason: str, now: datetime, count: int = 1) -> Sighting:
        """Return that events were given up."""
        if reason == NO_ROUTE:
            return forward_incidents.no_route(account, target, reason, now, count)
        return forward_incidents.given_up(account, target, reason, now, count)
