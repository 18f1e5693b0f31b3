"""Post reports to the URL that an application named with its message."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from sqlalchemy import Connection

from config.relays import RelayTarget
from store.database import Database
from store.incidents import Sighting
from store.outbox import Delivery
from store.parcels import open_parcel
from store.vault import Vault
from workers.actions.addresses import PrivateAddress
from workers.actions.judging import judge
from workers.actions.post import NoAnswer, Poster, Road, make_tls
from workers.actions.results import Outcome, Result

_WITHIN: Final = timedelta(hours=6)
# (rule, title, next step, failures after which a person hears of it). An outage of the target needs some probes.
_TROUBLES: Final[Mapping[Outcome, tuple[str, str, str, int]]] = {
    Outcome.DOWN: (
        "report-url-down",
        "Reports cannot be passed on to an application at {origin}: {reason}",
        "See whether it is up and reachable from here. Reports wait for it and are given up after 42 hours.",
        4,
    ),
    Outcome.FORBIDDEN: (
        "report-url-private",
        "Reports are not passed on to an application at {origin}: {reason}",
        "Set DLR_RELAY_PRIVATE=true if that application is meant, or correct the URL that it names with its messages.",
        1,
    ),
    Outcome.REFUSED: (
        "report-url-refused",
        "Reports are refused by an application at {origin}: {reason}",
        "See what it expects of a report; they are offered again, ever more slowly, for 42 hours.",
        5,
    ),
    Outcome.FAULT: (
        "report-url-fault",
        "Reports for an application at {origin} meet an error in our own code: {reason}",
        "Find the error in the log and update. They are tried again for 42 hours.",
        1,
    ),
}


@dataclass(slots=True)
class ParcelLane:
    """The way to one URL: the rows of a target all name the same one."""

    database: Database
    vault: Vault
    road: Road
    tls: ssl.SSLContext | None
    posters: dict[str, Poster] = field(default_factory=dict)

    def close(self) -> None:
        """End the connection."""
        for poster in self.posters.values():
            poster.close()

    def send(self, delivery: Delivery, now: datetime) -> Result:
        """Post the report once."""
        parcel = open_parcel(self.database, self.vault, delivery)
        if parcel is None:
            return Result(Outcome.LOST, "the report is kept no longer")
        if parcel.url not in self.posters:
            self.posters[parcel.url] = Poster(RelayTarget.of(parcel.url), self.road, self.tls)
        try:
            answer = self.posters[parcel.url].post(parcel.headers.items(), parcel.body)
        except PrivateAddress:
            return Result(Outcome.FORBIDDEN, "its address is in a private network and DLR_RELAY_PRIVATE is not true")
        except NoAnswer as error:
            return Result(Outcome.DOWN, str(error))
        return judge(answer, now)


class ParcelKind:
    """Rows that pass reports on to applications' own URLs."""

    def __init__(self, road: Road, database: Database, vault: Vault) -> None:
        self._road = road
        self._database = database
        self._vault = vault

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return make_tls()

    def lane(self, target: str) -> ParcelLane:
        """Return a way to a target. There always is one: the rows say where to."""
        tls = self._tls if target.startswith("https:") else None
        return ParcelLane(self._database, self._vault, self._road, tls)

    def strand(self, connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> str:
        """Do nothing: no target is ever missing."""
        return ""

    def sighting(self, delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
        """Return the outage or the refusal that a failed attempt is a sign of."""
        if result.outcome not in _TROUBLES:
            return None
        rule, title, next_step, threshold = _TROUBLES[result.outcome]
        return Sighting(
            account=delivery.account,
            key=f"{rule}|{delivery.target}",
            rule=rule,
            severity="warning",
            title=title.format(origin=_origin(delivery.target), reason=result.reason),
            next_step=next_step,
            at=now,
            threshold=threshold,
            within=_WITHIN,
        )

    def lost(self, account: str, target: str, reason: str, now: datetime, count: int = 1) -> Sighting:
        """Return that reports were given up."""
        return Sighting(
            account=account,
            key=f"report-url-lost|{target}",
            rule="report-url-lost",
            severity="critical",
            title=f"Reports for an application at {_origin(target)} were given up: {reason}",
            next_step="This service has them all: `dlr message ID` tells what became of a message.",
            at=now,
            count=count,
        )


def _origin(target: str) -> str:
    return target.partition(" ")[0]
