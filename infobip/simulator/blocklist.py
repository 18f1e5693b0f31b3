"""The Blocklist (OUTBOUND facts 4.1): accepted at once, in force a little later."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from infobip.inbound.dates import parse
from infobip.simulator.clock import stamp
from infobip.simulator.errors import Refusal
from infobip.simulator.reading import Faults, items, members, text
from infobip.simulator.scenario import Blocked

MOST_DESTINATIONS: Final = 50_000
CREATABLE: Final = ("SMS", "EMAIL", "VIBER", "RCS", "MMS", "WHATSAPP")
LISTABLE: Final = (*CREATABLE, "VOICE_OUTBOUND_TTS", "NEW_PUSH_NOTIF", "APPLE_MB", "LINE_ON", "MESSENGER")
SOURCES: Final = ("CUSTOM", "MO", "URL_OPT_OUT", "CAMPAIGN")
ACCOUNT_KEY: Final = "0C1D2E3F405162738495A6B7C8D9EAFB"
# Our slug of a channel -> the name that the blocklist has for it.
NAMES: Final[Mapping[str, str]] = {
    "sms": "SMS",
    "email": "EMAIL",
    "viber": "VIBER",
    "rcs": "RCS",
    "mms": "MMS",
    "whatsapp": "WHATSAPP",
    "voice": "VOICE_OUTBOUND_TTS",
    "push": "NEW_PUSH_NOTIF",
    "apple": "APPLE_MB",
    "line": "LINE_ON",
    "messenger": "MESSENGER",
}
_WIDEST: Final = 255
_PAGE_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One entry. Empty `sender` or `channel`: for all."""

    destination: str
    sender: str
    channel: str
    account_key: str
    source: str
    created: datetime

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What makes two entries the same."""
        return self.destination, self.sender, self.channel, self.account_key, self.source

    def shown(self) -> dict[str, Any]:
        """Return the entry as the API lists it."""
        created = f"{self.created:%Y-%m-%dT%H:%M:%S}.{self.created.microsecond // 1000:03d}Z"
        found = {
            "sender": self.sender,
            "destination": self.destination,
            "sourceType": self.source,
            "channel": self.channel,
            "accountKey": self.account_key,
            "createdDate": created,
        }
        return {name: value for name, value in found.items() if value}


Later = Callable[[Callable[[], None]], None]
"""Runs what it is given when the change is to come into force."""


class Blocklist:
    """All entries. Safe to share between threads."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._lock = threading.RLock()
        self._records: dict[tuple[str, str, str, str, str], Record] = {}
        self._by_destination: dict[str, list[Record]] = {}
        self._asked: Counter[tuple[str, str, str, str]] = Counter()
        self._removed: Counter[str] = Counter()

    def fill(self, entries: tuple[Blocked, ...]) -> None:
        """Put a scenario's entries in force at once."""
        for entry in entries:
            self.put(entry.destination, entry.sender, entry.channel, entry.source)

    def put(self, destination: str, sender: str = "", channel: str = "", source: str = "CUSTOM") -> None:
        """Add one entry at once; one that is there already stays."""
        record = Record(_bare(destination), sender, channel, ACCOUNT_KEY, source, stamp())
        with self._lock:
            if record.key not in self._records:
                self._records[record.key] = record
                self._by_destination.setdefault(record.destination, []).append(record)

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._records.clear()
            self._by_destination.clear()
            self._asked.clear()
            self._removed.clear()

    def counts(self) -> dict[str, int]:
        """Return how many records there are, how often and for how many one was asked, and how many were removed."""
        with self._lock:
            return {
                "records": len(self._records),
                "asked": self._asked.total(),
                "askedTwice": sum(number > 1 for number in self._asked.values()),
                "removed": self._removed.total(),
                "ownStopsRemoved": sum(number for source, number in self._removed.items() if source != SOURCES[0]),
            }

    def create(self, body: Any) -> None:
        """Take a request for new entries. Raises `Refusal`."""
        wanted = _wanted(body, CREATABLE, with_source=False)
        with self._lock:
            self._asked.update((to, sender, channel, account) for to, sender, channel, account, _ in wanted)

        def now() -> None:
            for to, sender, channel, _, _ in wanted:
                self.put(to, sender, channel)

        self._later(now)

    def delete(self, body: Any) -> None:
        """Take a request to remove entries; without a source those of every source go. Raises `Refusal`."""
        wanted = _wanted(body, LISTABLE, with_source=True)
        self._later(lambda: self._remove(wanted))

    def listed(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the page of entries that a query asks for. Raises `Refusal`."""
        faults: Faults = {}
        page, size = _number(query, "page", 0, faults), _number(query, "size", 10, faults)
        if size > _PAGE_MOST or size < 1:
            faults["size"] = "must be between 1 and 1000"
        if query.get("channel", LISTABLE[0]) not in LISTABLE:
            faults["channel"] = "unsupported channel"
        if query.get("sourceType", SOURCES[0]) not in SOURCES:
            faults["sourceType"] = "unsupported source type"
        since, until = (parse(query.get(name)) for name in ("createdDateFrom", "createdDateTo"))
        if any(query.get(name) and not found for name, found in (("createdDateFrom", since), ("createdDateTo", until))):
            faults["request"] = "created dates must be dates"
        if faults:
            raise Refusal(400, faults=faults)
        with self._lock:
            found = [record for record in self._records.values() if _is_asked(record, query)]
        found = [
            record
            for record in found
            if (since or record.created) <= record.created <= (until or datetime.max.replace(tzinfo=UTC))
        ]
        paging = {"page": page, "size": size, "totalPages": -(-len(found) // size), "totalResults": len(found)}
        return {"results": [one.shown() for one in found[page * size : (page + 1) * size]], "paging": paging}

    def blocks(self, destination: str, sender: str, channel: str) -> bool:
        """Whether a message may not be sent. `channel` is our slug; an e-mail may be blocked by its domain."""
        name = NAMES.get(channel, channel.upper())
        bare = _bare(destination)
        places = (bare, bare.rpartition("@")[2]) if "@" in bare else (bare,)
        with self._lock:
            return any(
                record.sender in ("", sender) and record.channel in ("", name)
                for place in places
                for record in self._by_destination.get(place, ())
            )

    def _remove(self, wanted: list[tuple[str, str, str, str, str]]) -> None:
        with self._lock:
            for to, sender, channel, account, source in wanted:
                for kind in [source] if source else SOURCES:
                    record = self._records.pop((to, sender, channel, account, kind), None)
                    if record is not None:
                        self._removed[kind] += 1
                        self._by_destination[to].remove(record)


def _wanted(body: Any, channels: tuple[str, ...], *, with_source: bool) -> list[tuple[str, str, str, str, str]]:
    faults: Faults = {}
    found = []
    top = members(body, "request", faults)
    for path, group in items(top.get("blocklist"), "blocklist", faults):
        channel = text(group, "channel", path, faults)
        if channel and channel not in channels:
            faults[f"{path}.channel"] = "unsupported channel"
        account = text(group, "accountKey", path, faults) or ACCOUNT_KEY
        if account != ACCOUNT_KEY:
            faults[f"{path}.accountKey"] = "unsupported account key"
        source = text(group, "sourceType", path, faults) if with_source else ""
        if source and source not in SOURCES:
            faults[f"{path}.sourceType"] = "unsupported source type"
        sender = text(group, "sender", path, faults, _WIDEST)
        for place, one in items(group.get("destinations"), f"{path}.destinations", faults):
            to = text(one, "to", place, faults, _WIDEST, need=True)
            found.append((_bare(to), sender, channel, account, source))
    if len(found) > MOST_DESTINATIONS:
        faults["blocklist"] = f"must not hold more than {MOST_DESTINATIONS} destinations"
    if faults:
        raise Refusal(400, faults=faults)
    return found


def _bare(destination: str) -> str:
    return destination.strip().removeprefix("+").lower()


def _is_asked(record: Record, query: Mapping[str, str]) -> bool:
    held = {
        "sender": record.sender,
        "destination": record.destination,
        "channel": record.channel,
        "sourceType": record.source,
        "accountKey": record.account_key,
    }
    wanted = dict(query) | ({"destination": _bare(query["destination"])} if "destination" in query else {})
    return all(held[name] == wanted[name] for name in held if wanted.get(name))


def _number(query: Mapping[str, str], name: str, default: int, faults: Faults) -> int:
    value = query.get(name, str(default))
    if not value.isdecimal():
        faults[name] = "must be a whole number of 0 or more"
        return default
    return int(value)
