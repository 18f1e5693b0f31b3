"""Where incidents are told: the routes of the file that DLR_ALERT_ROUTES names.

A route is a table of its own name. Where it leads to is one of `url`, which apprise understands, and `alertmanager`;
the rest narrows what it hears of.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from config.alert_hours import Hours
from config.relays import RelayTarget
from config.rows import read
from config.secrets import Secret
from config.settings import SettingsError
from config.toml_files import read_toml

_NAME: Final = "DLR_ALERT_ROUTES"
_NO_SECRET: Final = Secret()
SEVERITIES: Final = ("info", "warning", "critical")
PURPOSES: Final = ("otp", "transactional", "marketing", "undeclared")
_ROUTE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+")
_LEAST_TIMEOUT: Final = timedelta(seconds=30)


def gravity(severity: str) -> int:
    """Return how grave a severity is, the graver the more. One that there is not counts as the gravest."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One place where incidents are told. Empty filters let everything through."""

    name: str
    url: Secret = _NO_SECRET
    alertmanager: str = ""
    user: str = ""
    password: Secret = _NO_SECRET
    token: Secret = _NO_SECRET
    resolve_timeout: timedelta = timedelta(minutes=5)
    """After which Alertmanager takes an alert for resolved that nobody posted again."""
    severity: str = "info"
    """This one and graver ones."""
    causes: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    hours: Hours | None = None
    reminders: bool = True
    resolved: bool = True

    def wants(self, severity: str, cause: str, rule: str, account: str, purposes: Collection[str]) -> bool:
        """Whether the route hears of such an incident. One for all accounts, and one that is about no reports at all,
        is of every account and every purpose."""
        if gravity(severity) < gravity(self.severity):
            return False
        if (self.causes or self.rules) and cause not in self.causes and rule not in self.rules:
            return False
        if self.accounts and account and account not in self.accounts:
            return False
        return not self.purposes or not purposes or bool(self.purposes.intersection(purposes))

    def due(self, now: datetime) -> datetime:
        """Return when it may be told of something that happens now."""
        return now if self.hours is None else self.hours.next(now)


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes, by name."""

    by_name: Mapping[str, Route] = field(default_factory=dict)

    def __iter__(self) -> Any:
        return iter(self.by_name.values())


class _RouteSchema(Schema):
    url, url_file = fields.String(), fields.String()
    alertmanager = fields.String()
    user, password, password_file = fields.String(), fields.String(), fields.String()
    token, token_file = fields.String(), fields.String()
    resolve_timeout = fields.String()
    severity = fields.String(validate=validate.OneOf(SEVERITIES))
    causes, rules = fields.List(fields.String()), fields.List(fields.String())
    accounts = fields.List(fields.String())
    purposes = fields.List(fields.String(validate=validate.OneOf(PURPOSES)))
    hours, zone, days = fields.String(), fields.String(), fields.List(fields.String())
    reminders, resolved = fields.Boolean(), fields.Boolean()


_SECRETS: Final = ("url", "password", "token")
_SETS: Final = ("causes", "rules", "accounts", "purposes")
_PLAIN: Final = ("user", "severity", "reminders", "resolved")
_ONLY_ALERTMANAGER: Final = ("user", "password", "password_file", "token", "token_file", "resolve_timeout")


def load_routes(path: Path | None, causes: Collection[str] = ()) -> Routes:
    """Return the routes of a file; none where there is no file. `causes` are those there are, where that is known.

    Raises `SettingsError` with every mistake, each with its route and its fix.
    """
    if path is None:
        return Routes()
    tables = read_toml(path, _NAME)
    faults: list[str] = []
    found = {}
    for name, table in tables.items():
        mistakes = _mistakes(name, table, causes)
        if not mistakes:
            try:
                found[name] = _route(name, table, path.parent)
            except ValueError as error:
                mistakes = [str(error)]
        faults += [f"[{name}] {mistake}" for mistake in mistakes]
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise SettingsError(f"{_NAME}: {path} has mistakes:{listed}")
    return Routes(found)


def _mistakes(name: str, table: Any, causes: Collection[str]) -> list[str]:
    if not isinstance(table, dict):
        return [f'stands outside of any route; write [NAME] above it, such as [team] and then {name} = "..."']
    found = []
    if not _ROUTE.fullmatch(name):
        found.append("a route's name has letters, digits, dots, dashes and underscores, 64 at most")
    try:
        _RouteSchema().load(table)
    except ValidationError as error:
        found += [f"{key}: {_words(key, message)}" for key, message in error.messages_dict.items()]
    given = [key for key in ("url", "url_file", "alertmanager") if key in table]
    if len(given) != 1:
        said = " and ".join(given) or "none of them"
        found.append(f"needs one of url, url_file and alertmanager, and has {said}")
    for secret in _SECRETS:
        if secret in table and f"{secret}_file" in table:
            found.append(f"{secret} and {secret}_file are both there; leave one of them out")
    if "alertmanager" not in table:
        found += [f"{key} belongs to alertmanager; of a url it is a part" for key in _ONLY_ALERTMANAGER if key in table]
    if causes and isinstance(table.get("causes"), list):
        unknown = [cause for cause in table["causes"] if cause not in causes]
        found += [f"causes: there is no cause {cause!r}; docs/codes.md lists them" for cause in unknown]
    if "alertmanager" in table and "hours" in table:
        found.append("hours: Alertmanager has its own time intervals; it would take for resolved what it is not told")
    if "hours" not in table and ("zone" in table or "days" in table):
        found.append('zone and days belong to hours; write hours = "00:00-23:59" for the whole day')
    return found


def _words(key: str, message: Any) -> str:
    if message == ["Unknown field."]:
        known = ", ".join(_RouteSchema().fields)
        return f"there is no such key; a route has {known}"
    if isinstance(message, dict):  # of one member of a list
        return "; ".join(f"item {place + 1}: {_words(key, inner)}" for place, inner in message.items())
    return " ".join(map(str, message))


def _route(name: str, table: Mapping[str, Any], folder: Path) -> Route:
    values: dict[str, Any] = {key: table[key] for key in _PLAIN if key in table}
    values |= {key: frozenset(table[key]) for key in _SETS if key in table}
    values |= {key: secret for key in _SECRETS if (secret := _secret(key, table, folder)) is not None}
    if "hours" in table:
        values["hours"] = Hours.read(table["hours"], list(table.get("days", [])), table.get("zone", "UTC"))
    if "url" in values:
        _check_url(values["url"])
    if "alertmanager" in table:
        values["alertmanager"] = table["alertmanager"].rstrip("/")
        RelayTarget.of(values["alertmanager"])
    if "resolve_timeout" in table:
        values["resolve_timeout"] = read(table["resolve_timeout"], timedelta)
        if values["resolve_timeout"] < _LEAST_TIMEOUT:
            raise ValueError("resolve_timeout is at least 30s; write that of Alertmanager's own configuration")
    return Route(name=name, **values)


def _secret(key: str, table: Mapping[str, Any], folder: Path) -> Secret | None:
    if key in table:
        return Secret(table[key])
    if f"{key}_file" not in table:
        return None
    secret = Secret(path=folder / table[f"{key}_file"])
    try:
        secret.values()
    except OSError as error:
        raise ValueError(
            f"{key}_file: {folder / table[f'{key}_file']}: {error.strerror}; make it, or correct"
        ) from None
    return secret


def _check_url(url: Secret) -> None:
    values: Sequence[str] = url.values()
    if len(values) != 1 or not _SCHEME.fullmatch(values[0]):
        raise ValueError("url is one URL of the kind that apprise knows, such as slack://... or mailtos://...")


class RoutesFile:
    """The routes' file, read again when it changes; while the new one is wrong, the old one stays."""

    def __init__(self, path: Path | None, causes: Collection[str] = ()) -> None:
        """Read it. Raises `SettingsError`."""
        self._path = path
        self._causes = causes
        self._stamp = self._stamp_now()
        self._routes = load_routes(path, causes)
        self.problem = ""
        """Why the file as it is now is not in force; empty where it is."""

    def routes(self) -> Routes:
        """Return the routes in force."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._routes, self.problem = load_routes(self._path, self._causes), ""
            except SettingsError as error:
                self.problem = str(error)
        return self._routes

    def _stamp_now(self) -> tuple[int, int]:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            found = None
        return (found.st_mtime_ns, found.st_size) if found else (0, 0)
