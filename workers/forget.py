"""Forget one person: take their items out of the stored bodies, and their rows out of the tables.

A body of any form that mentions the person is rebuilt as JSON, `{"results": [...]}`, with `null` where an item of
theirs was: the others keep their places, by which reports and quarantined items name them, and can still be replayed.
Its content type, `application/json; rewritten=forget`, says so. A body that cannot be taken apart is emptied.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from codes.channels import AUTO, UNKNOWN
from config.mask import mask
from infobip.inbound.envelope import Envelope, open_envelope
from infobip.inbound.errors import InboundError
from reports import normalise
from reports.address import look_up_form
from store import bodies, forget, typed
from store.bodies import Body
from store.database import Database
from store.vault import Vault

CONTENT_TYPE: Final = "application/json; rewritten=forget"
_NOT_DIGITS: Final = bytes(set(range(256)) - set(b"0123456789"))
# What people put between the digits of a number, the zero in brackets among it that is not dialled from abroad.
_BETWEEN: Final = r"(?:\(0\)|[\s().+/\-\u2010\u2011\u2013]){0,4}"
# Below this an address is too short to be looked for inside longer texts: it would be found everywhere.
_SHORTEST: Final = 7
WHOLE: Final = -1


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went: rows by what they were, items and whole bodies, and bodies that no worker has looked at yet."""

    rows: Mapping[str, int]
    items: int
    bodies: int
    waiting: int


@dataclass(frozen=True)
class Person:
    """One address, and where it is mentioned."""

    address: str

    @cached_property
    def form(self) -> str:
        """The one spelling that all spellings are compared in."""
        return look_up_form(self.address)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        if len(self.form) < _SHORTEST:
            return None
        if self.form.isdecimal():
            return re.compile(rf"(?<!\d)(?:00{_BETWEEN})?{_BETWEEN.join(self.form)}(?!\d)")
        return re.compile(rf"(?<![\w.+-]){re.escape(self.form)}(?![\w-]|\.\w)", re.IGNORECASE)

    def is_in(self, value: Any) -> bool:
        """Whether a value of an item, whatever its form, mentions the address."""
        if isinstance(value, Mapping):
            return any(self.is_in(name) or self.is_in(inner) for name, inner in value.items())
        if isinstance(value, list):
            return any(self.is_in(inner) for inner in value)
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return False
        text = str(value)
        return look_up_form(text) == self.form or bool(self._pattern and self._pattern.search(text))

    def may_be_in(self, body: bytes, content_type: str) -> bool:
        """Whether it is worth taking a body apart: never no where `is_in` would say yes of an item."""
        if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"[", b"<") or b"\\u" in body or b"&#" in body:
            return True  # forms and escapes spell the same address in other bytes
        if self.form.isdecimal():
            spelt = {body, body.replace(b"(0)", b"")}
            return any(self.form.encode() in one.translate(None, _NOT_DIGITS) for one in spelt)
        return self.form.partition("@")[0].lower().encode() in body.lower()


@dataclass(frozen=True, slots=True)
class Rest:
    """A body without the person. `dropped` are the places of their items; `WHOLE` stands for an emptied body."""

    body: Body
    dropped: tuple[int, ...]


def without(person: Person, stored: Body) -> Rest | None:
    """Return what is left of a stored body, or nothing where it does not mention the person."""
    if not person.may_be_in(stored.body, stored.content_type):
        return None
    text = stored.body.decode("utf-8", "replace")
    try:
        envelope = open_envelope(stored.body, stored.content_type)
    except (InboundError, ValueError, RecursionError):
        return Rest(_rebuilt(stored, [], None), (WHOLE,)) if person.is_in(text) else None
    dropped = tuple(place for place, item in enumerate(envelope.items) if person.is_in(item))
    if not dropped and not person.is_in(text):
        return None
    left = [None if place in dropped else item for place, item in enumerate(envelope.items)]
    return Rest(_rebuilt(stored, left, envelope), dropped)


def _rebuilt(stored: Body, items: Sequence[Any], envelope: Envelope | None) -> Body:
    content: dict[str, Any] = {"results": list(items)}
    channel = stored.channel
    if envelope is not None:
        if envelope.bulk_id:
            content["bulkId"] = envelope.bulk_id
        # What the XML root proved is no longer there to see.
        if envelope.proven and channel in (AUTO, UNKNOWN):
            channel = envelope.proven
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    return replace(stored, channel=channel, content_type=CONTENT_TYPE, body=body)


def forget_person(database: Database, vault: Vault, address: str, accounts: Sequence[str]) -> Forgotten:
    """Forget the person at `address` in all `accounts`. Raises `store.errors.Unavailable`; repeat it then.

    Bodies that a worker still has to look at are left alone and counted: an opt-out in one of them must not get lost.
    """
    person = Person(normalise(address))
    hashes = [vault.hash_address(account, person.address) for account in accounts]
    done: Counter[str] = Counter()
    for stored in bodies.bodies(database, vault):
        rest = without(person, stored)
        if rest is None:
            continue
        if stored.waiting or not _rewrite(database, vault, rest):
            done["waiting"] += 1
            continue
        done["bodies"] += 1
        done["items"] += len([place for place in rest.dropped if place != WHOLE])
    with database.reading() as connection:
        named = typed.find(connection, person.is_in)
    now, masked = datetime.now(UTC), mask(person.address)
    rows = database.repeat(lambda connection: forget.remove(connection, hashes, masked, person.is_in, now, named))
    return Forgotten(rows, done["items"], done["bodies"], done["waiting"])


def _rewrite(database: Database, vault: Vault, rest: Rest) -> bool:
    return database.repeat(lambda connection: bodies.rewrite(connection, vault, rest.body, rest.dropped))
