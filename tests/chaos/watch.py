"""What could be seen of an installation from when on."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select

from store.database import Database
from store.errors import Unavailable
from store.schema import messages, suppressions
from store.suppressions import ACTIVE

_ARRIVED = ("delivered", "seen")


@dataclass
class Watch:
    """Looks into the database all the time; each moment is the one just after what it is about was seen committed."""

    database: Database
    arrived: dict[bytes, datetime] = field(default_factory=dict)
    """Message key -> when its arrival was seen."""
    silent: dict[bytes, datetime] = field(default_factory=dict)
    """Hash of an address -> when its suppression was seen."""

    def until(self, over: threading.Event) -> None:
        """Look until it is over."""
        while not over.wait(0.2):
            try:
                self.look()
            except Unavailable:
                continue

    def look(self) -> None:
        """Look once."""
        with self.database.reading() as connection:
            arrived = set(connection.scalars(select(messages.c.key).where(messages.c.state.in_(_ARRIVED))))
            silent = set(connection.scalars(select(suppressions.c.address).where(suppressions.c.state == ACTIVE)))
        now = datetime.now(UTC)
        for known, seen in ((self.arrived, arrived), (self.silent, silent)):
            for key in seen - known.keys():
                known[key] = now
