"""Writes what is about to be sent before it leaves, and what became of it afterwards."""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from config.logs import log
from infobip.outbound import Destination, Position, gone_with
from infobip.outbound.results import Exchange, Exchanged
from store import incidents, sends, silences
from store.blocks import Block, blocking
from store.database import Database
from store.errors import StoreError, Unavailable
from store.incidents import Sighting
from store.sends import ACCEPTED, INTENT, NOT_SENT, REFUSED, UNKNOWN, Content, Send
from store.silences import Watch
from store.vault import Vault
from webhook.proxy.check import OFF, REFUSE
from webhook.proxy.errors import Suppressed
from webhook.proxy.order import Contents, Fates, Order, fates, real_key, row_of
from webhook.proxy.outcome import Fate, outcomes
from webhook.proxy.rejected import Rejections
from webhook.watching import watch_of

_log = log(__name__)
_BEFORE: Final = "Infobip had a message with this id before"
_TRIES: Final = 2
# Seconds for which a database that failed is not asked again: each try may take as many.
_LEAVE_ALONE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A request whose intents are written. `removed` do not get it; the rest has a row each."""

    order: Order
    rows: Mapping[Position, Send]
    removed: Mapping[Position, str] = field(default_factory=dict)
    """Message ids of those who are suppressed, and of copies that go with them."""
    reasons: Mapping[Position, Block] = field(default_factory=dict)


@dataclass(slots=True)
class Missed:
    """Sends that passed while the database was away; told once it is back."""

    count: int = 0
    since: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, count: int) -> None:
        """Count sends."""
        with self._lock:
            self.count += count
            self.since = self.since or datetime.now(UTC)

    def take(self) -> tuple[int, datetime | None]:
        """Return what was counted, and begin anew."""
        with self._lock:
            taken, self.count, self.since = (self.count, self.since), 0, None
        return taken


class Register:
    """The register of sends as the pass-through uses it. One per process; safe to share between threads."""

    def __init__(self, database: Database, vault: Vault, rejections: Rejections, suppressed: str) -> None:
        self._database = database
        self._vault = vault
        self._rejections = rejections
        self._suppressed = suppressed
        self._away_until = 0.0
        self.missed = Missed()

    def begin(self, order: Order) -> Begun:
        """Look who is suppressed and commit the intents. Raises `Unavailable` and `Suppressed`."""
        if time.monotonic() < self._away_until:
            raise Unavailable("the database failed a moment ago")
        prepared = self._prepare(order)
        try:
            begun = self._database.repeat(lambda connection: self._begin(connection, order, prepared), _TRIES)
        except (StoreError, SQLAlchemyError) as error:
            self._away_until = time.monotonic() + _LEAVE_ALONE
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            raise Unavailable(reason) from error
        self._tell_missed()
        return begun

    def end(self, begun: Begun, exchange: Exchange | None) -> None:
        """Commit what became of a request; None: nobody was left to send to.

        Where that fails the intents stay: they are taken for unknown later, which is what they may well be.
        """
        known = (
            {} if exchange is None else outcomes(begun.order.sends, exchange, lambda one: one.position in begun.rows)
        )
        answered = exchange is None or (isinstance(exchange, Exchanged) and 200 <= exchange.http < 300)
        try:
            # A power cut would undo it, and leave the intents.
            self._database.repeat(lambda connection: self._end(connection, begun, known, answered), lasting=False)
        except (StoreError, SQLAlchemyError) as error:
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            _log.error("what became of sends could not be registered; they count as unknown", reason=reason)

    def _prepare(self, order: Order) -> dict[Position, tuple[Send, Content | None]]:
        contents, sealed = Contents(order), dict[str, bytes]()
        found = {}
        for one in order.sends.destinations:
            content, obstacle = contents.of(one)
            url = order.previous.get(one.position, "")
            if url and url not in sealed:
                sealed[url] = self._vault.seal(url.encode())
            row = row_of(order, self._vault, one, obstacle=obstacle, report_url=sealed.get(url, b""))
            found[one.position] = (row, content)
        return found

    def _begin(
        self, connection: Connection, order: Order, prepared: Mapping[Position, tuple[Send, Content | None]]
    ) -> Begun:
        met = self._fates(connection, order)
        removed = gone_with(order.sends, met.removed) if met.removed else frozenset()
        if removed and (self._suppressed == REFUSE or not order.sends.endpoint.is_json):
            people = len(met.removed)
            raise Suppressed(f"{people} of {len(order.sends.destinations)} recipients are suppressed; nothing was sent")
        kept = [one for one in order.sends.destinations if one.position not in removed]
        known = sends.find(connection, [prepared[one.position][0].key for one in kept])
        # What never got there leaves its place: what is sent under its id now may be all that anybody learns of it.
        void = [row for row in known.values() if row.state in (NOT_SENT, REFUSED) and not row.content]
        sends.drop(connection, void)
        taken = known.keys() - {row.key for row in void}
        rows = {}
        for one in kept:
            row = prepared[one.position][0]
            # Whether it is a new message or one that Infobip had before, its answer will tell.
            if row.key in taken:
                row = replace(row, key=os.urandom(16))
            taken.add(row.key)
            rows[one.position] = replace(row, flagged=one.position in met.flagged)
        rows = self._with_contents(connection, order, kept, rows, prepared)
        sends.intend(connection, list(rows.values()))
        ids = {
            one.position: one.message_id or str(uuid4()) for one in order.sends.destinations if one.position in removed
        }
        return Begun(order, rows, ids, met.removed)

    def _fates(self, connection: Connection, order: Order) -> Fates:
        if self._suppressed == OFF:
            return Fates({}, frozenset())
        asked = order.asked(self._vault)
        return fates(asked, blocking(connection, order.account, [one for _, one in asked], order.now))

    def _with_contents(
        self,
        connection: Connection,
        order: Order,
        kept: list[Destination],
        rows: dict[Position, Send],
        prepared: Mapping[Position, tuple[Send, Content | None]],
    ) -> dict[Position, Send]:
        written = [(one, content) for one in kept if (content := prepared[one.position][1]) is not None]
        ids = sends.keep_contents(
            connection, self._vault, order.account, [(content, order.keep_until(one)) for one, content in written]
        )
        numbers = {one.position: number for (one, _), number in zip(written, ids, strict=True)}
        return {position: replace(row, content=numbers.get(position, 0)) for position, row in rows.items()}

    def _end(self, connection: Connection, begun: Begun, known: Mapping[Position, Fate], answered: bool) -> None:
        order, by_place = begun.order, {one.position: one for one in begun.order.sends.destinations}
        settled, again = [], []
        for position, row in begun.rows.items():
            fate = known[position]
            if fate.already:
                again.append((row, by_place[position], fate))
            else:
                settled.append((row, self._became(order, row, by_place[position], fate)))
        sends.settle_all(connection, settled, order.now)
        silences.watch(connection, self._watched(order, [row for _, row in settled if row.state == ACCEPTED]))
        if again:
            self._had_before(connection, order, again)
        if answered and begun.removed:
            self._keep_removed(connection, begun, by_place)
            self._rejections.queue(connection, order, begun.removed)

    def _watched(self, order: Order, rows: list[Send]) -> list[Watch]:
        fallback = order.declared.fallback
        if fallback is None:
            return []
        [one] = order.sends.destinations  # it is refused beside several
        address = one.recipients[0].address if one.recipients else ""
        told = {"fallback": str(fallback["channel"]), "address": address}
        found = (watch_of(row, order.opinion, **told, leaves_at=order.leaves_at(one), now=order.now) for row in rows)
        return [one for one in found if one is not None]

    def _became(self, order: Order, row: Send, one: Destination, fate: Fate) -> Send:
        message_id = fate.message_id or one.message_id
        key = real_key(order, self._vault, one, message_id) if message_id and not fate.whole else row.key
        # Of a request that is refused as a whole no report comes, and nobody will ask to send it again.
        return replace(row, key=key, message_id=message_id, state=fate.state, content=0 if fate.whole else row.content)

    def _had_before(self, connection: Connection, order: Order, again: list[tuple[Send, Destination, Fate]]) -> None:
        """The message that has the id already stays what it is; one of which no answer came is there after all."""
        keys = {
            row.key: real_key(order, self._vault, one, fate.message_id or one.message_id) for row, one, fate in again
        }
        first = sends.find(connection, keys.values())
        sends.drop(connection, [row for row, _, _ in again if row.key != keys[row.key]])
        changed = [
            replace(row, state=ACCEPTED)
            for key, row in first.items()
            # An intent's process has died, or its own answer is on its way and says no less.
            if row.state in (UNKNOWN, INTENT) and key not in keys
        ]
        changed += [
            replace(row, state=REFUSED, obstacle=_BEFORE, content=0) for row, _, _ in again if row.key == keys[row.key]
        ]
        sends.register(connection, changed, order.now)

    def _keep_removed(self, connection: Connection, begun: Begun, by_place: Mapping[Position, Destination]) -> None:
        order = begun.order
        rows = []
        for position, message_id in begun.removed.items():
            block = begun.reasons.get(position)
            said = f"the recipient is suppressed ({block.cause})" if block else "those are whose copy it was"
            row = row_of(order, self._vault, by_place[position], obstacle=f"it was not sent: {said}", report_url=b"")
            key = real_key(order, self._vault, by_place[position], message_id)
            rows.append(replace(row, key=key, message_id=message_id, state=REFUSED))
        known = sends.find(connection, [row.key for row in rows])
        sends.register(connection, [row for row in rows if row.key not in known], order.now)

    def _tell_missed(self) -> None:
        """Write down that sends passed unregistered, now that it can be written."""
        count, since = self.missed.take()
        if not count or since is None:
            return
        seen = Sighting(
            account="main",
            key="sends_unregistered",
            rule="sends_unregistered",
            severity="warning",
            title=f"Sends passed through while the database was away since {since:%Y-%m-%d %H:%M} UTC: they were not "
            "checked against suppressions, and are not resent",
            next_step="Keep the database up, or set DLR_PROXY_FAIL_CLOSED=true so that such sends get 503.",
            at=datetime.now(UTC),
            count=count,
        )
        try:
            with self._database.transaction() as connection:
                incidents.note(connection, [seen])
        except (StoreError, SQLAlchemyError):
            self.missed.add(count)
