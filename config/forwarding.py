"""DLR_FORWARD, read: the customer's own endpoints, and which events each of them gets.

A TOML file with one table for each endpoint. All mistakes are told at once; while a changed file is wrong, what was
read before stays in force.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, TypeVar

from marshmallow import Schema, ValidationError, validate
from marshmallow import fields as shape

from config.endpoints import secret_of, target_of
from config.events import BY_NAME, EVENTS
from config.logs import log
from config.relays import RelayTarget
from config.rows import read
from config.secrets import Secret
from config.settings import SettingsError
from config.toml_files import read_toml

T = TypeVar("T")
_LOG = log(__name__)
_SETTING: Final = "DLR_FORWARD"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# What of people may be switched on. Without it an event names them as `…23` or `…@example.com`.
ADDRESS: Final = "address"
INCLUDABLE: Final = (ADDRESS,)
_LEAST_PATIENCE, _MOST_PATIENCE = timedelta(hours=1), timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL of the customer's, and what it gets. Empty `channels` or `accounts` mean all."""

    name: str
    target: RelayTarget
    secret: Secret = field(repr=False)
    events: frozenset[str]
    channels: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    private: bool = False
    give_up_after: timedelta = timedelta(days=5)

    def takes(self, kind: str, account: str, channel: str) -> bool:
        """Whether it gets an event; one that is of no channel, such as an incident, passes every list of channels."""
        wanted = kind in self.events and (not channel or not self.channels or channel in self.channels)
        return wanted and self.serves(account)

    def serves(self, account: str) -> bool:
        """Whether it may learn of this account at all."""
        return not self.accounts or account in self.accounts


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All endpoints, by name."""

    by_name: Mapping[str, Endpoint] = field(default_factory=dict)
    wanted: frozenset[str] = frozenset()
    """Every type of event that any of them takes."""

    def takers(self, kind: str, account: str, channel: str) -> Iterator[Endpoint]:
        """Yield the endpoints that get such an event."""
        if kind in self.wanted:
            yield from (one for one in self.by_name.values() if one.takes(kind, account, channel))

    @classmethod
    def of(cls, *endpoints: Endpoint) -> "Endpoints":
        """Return a set of endpoints."""
        wanted = frozenset[str]().union(*(one.events for one in endpoints))
        return cls({one.name: one for one in endpoints}, wanted)


NO_ENDPOINTS: Final = Endpoints()


class _EndpointSchema(Schema):
    url = shape.String(required=True)
    secret, secret_file = shape.String(), shape.String()
    events = shape.List(shape.String(), required=True, validate=validate.Length(min=1))
    channels = shape.List(shape.String(), load_default=list)
    accounts = shape.List(shape.String(), load_default=list)
    include = shape.List(shape.String(validate=validate.OneOf(INCLUDABLE)), load_default=list)
    private = shape.Boolean(load_default=False)
    give_up_after = shape.String(load_default="5d")


def load_endpoints(path: Path | None, channels: frozenset[str] = frozenset()) -> Endpoints:
    """Read the file; `channels` are the names that there are, where that is to be checked.

    Raises `SettingsError` with every mistake and what to write instead.
    """
    if path is None:
        return NO_ENDPOINTS
    tables = read_toml(path, _SETTING)
    faults: list[str] = []
    found = [one for name, table in tables.items() if (one := _endpoint(name, table, path.parent, channels, faults))]
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise SettingsError(f"{_SETTING}: {path} has mistakes:{listed}")
    return Endpoints.of(*found)


def _endpoint(name: str, table: Any, folder: Path, channels: frozenset[str], faults: list[str]) -> Endpoint | None:
    mine: list[str] = []
    if not _NAME.fullmatch(name):
        mine.append("the name of an endpoint is of small letters, digits, - and _; for example [crm]")
    if not isinstance(table, dict):
        faults.append(f"{name}: everything belongs to an endpoint: put it below a line such as [crm]")
        return None
    try:
        values = _EndpointSchema().load(table)
    except ValidationError as error:
        mine += list(_in_words(error.messages if isinstance(error.messages, dict) else {"": error.messages}))
        values = error.valid_data if isinstance(error.valid_data, dict) else {}
    target = _checked(lambda: target_of(values["url"], private=bool(table.get("private"))), "url", values, mine)
    secret = _checked(lambda: secret_of(values, folder, "secret"), "", values, mine)
    events = _checked(lambda: _events(values["events"]), "events", values, mine)
    patience = _checked(lambda: _patience(values["give_up_after"]), "give_up_after", values, mine)
    unknown = sorted(set(values.get("channels", ())) - channels) if channels else []
    if unknown:
        mine.append(f"channels: there is no {', '.join(map(repr, unknown))}; there are {', '.join(sorted(channels))}")
    faults += [f"[{name}] {fault}" for fault in mine]
    if mine or target is None or secret is None or events is None or patience is None:
        return None
    lists = {key: frozenset(values[key]) for key in ("channels", "accounts", "include")}
    return Endpoint(name, target, secret, events, **lists, private=values["private"], give_up_after=patience)


def _checked(check: Callable[[], T], key: str, values: Mapping[str, Any], faults: list[str]) -> T | None:
    if key and key not in values:
        return None  # said already
    try:
        return check()
    except ValueError as error:
        faults.append(f"{key}: {error}" if key else str(error))
        return None


def _events(patterns: list[str]) -> frozenset[str]:
    found: set[str] = set()
    for pattern in patterns:
        matched = {kind for kind in EVENTS if fnmatchcase(kind, pattern)}
        if not matched and pattern not in BY_NAME:
            raise ValueError(
                f"there is no event {pattern!r}; there are {', '.join(EVENTS)}, and patterns like message.*"
            )
        found |= matched
    return frozenset(found)


def _patience(text: str) -> timedelta:
    span: timedelta = read(text, timedelta)
    if not _LEAST_PATIENCE <= span <= _MOST_PATIENCE:
        raise ValueError("write from 1h to 14d")
    return span


def _in_words(messages: Mapping[str, Any]) -> Iterator[str]:
    for key, message in messages.items():
        if isinstance(message, dict):
            message = [text for texts in message.values() for text in texts]
        text = " ".join(message)
        if text == "Unknown field.":
            text = f"there is no such key; there are {', '.join(_EndpointSchema().fields)}"
        yield f"{key}: {text}"


class ForwardFile:
    """The file of endpoints, read again when it changes; while the new one is wrong, the old one stays."""

    def __init__(self, path: Path | None, channels: frozenset[str] = frozenset()) -> None:
        """Read the file. Raises `SettingsError`."""
        self._path = path
        self._channels = channels
        self._stamp = self._stamp_now()
        self._endpoints = load_endpoints(path, channels)

    def endpoints(self) -> Endpoints:
        """Return the endpoints in force."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._endpoints = load_endpoints(self._path, self._channels)
                _LOG.info("endpoints_reloaded", endpoints=len(self._endpoints.by_name))
            except SettingsError as error:
                _LOG.error(
                    "endpoints_not_reloaded", problem=str(error), next_step="`dlr forward list` tells all mistakes"
                )
        return self._endpoints

    def _stamp_now(self) -> tuple[int, int]:
        if self._path is None:
            return (0, 0)
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)
