"""What the outbox has to know of a kind of row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from store.incidents import Sighting
from store.outbox import Delivery
from workers.actions.results import Result


class Lane(Protocol):
    """A way to one target, used by one thread."""

    def send(self, delivery: Delivery, now: datetime) -> Result:
        """Try once. What it raises counts as a mistake of ours."""

    def close(self) -> None:
        """End the way."""


class Kind(Protocol):
    """A kind of row."""

    def lane(self, target: str) -> Lane | None:
        """Return a way to a target, or `None` where there is none of that name."""

    def strand(self, connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> str:
        """Do what is to be done, in the transaction that gives them up, with rows whose target there is not.

        Returns the reason in words.
        """

    def sighting(self, delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
        """Return what a failed attempt is in the eyes of a person, if it is anything."""

    def lost(self, account: str, target: str, reason: str, now: datetime, count: int = 1) -> Sighting:
        """Return what it is that rows were given up."""
