"""DLR_RELAY_URL, read: where callbacks are passed on, by account and channel."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from config.settings import SettingsError

_NAME: Final = "DLR_RELAY_URL"
_EXAMPLE: Final = "sms=https://app.example.com/dlr"
_ALL: Final = "*"
_PORTS: Final = {"http": 80, "https": 443}


class _Fault(ValueError):
    """Why one entry cannot be used."""


@dataclass(frozen=True, slots=True)
class RelayTarget:
    """One place that callbacks are passed on to. Its URL may hold a secret; `key` and `origin` never do."""

    url: str
    secure: bool
    host: str
    port: int
    path: str
    """Path and query, as they stand in the request."""

    @property
    def netloc(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The target as people may see it."""
        return f"{'https' if self.secure else 'http'}://{self.netloc}"

    @property
    def key(self) -> str:
        """The name of the target in the database, which a path with a token in it must not reach."""
        return f"{self.origin} {sha256(self.url.encode()).hexdigest()[:12]}"

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a URL. Raises `ValueError` saying what is wrong with it, without showing it."""
        if not url.isascii() or not url.isprintable():
            raise _Fault("the URL has characters beyond ASCII: write a host as xn--..., anything else as %XX")
        parts = urlsplit(url)
        if parts.scheme not in _PORTS:
            raise _Fault("the URL does not begin with https:// or http://")
        if parts.username is not None or parts.password is not None:
            raise _Fault("the URL has a user name, which nothing would send")
        if parts.fragment:
            raise _Fault("the URL has a part behind #, which is never sent")
        host, port = _host_and_port(parts)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(url, parts.scheme == "https", host, port, path)


def _host_and_port(parts: SplitResult) -> tuple[str, int]:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _Fault("the URL's port is not a number from 1 to 65535") from None
    if not host:
        raise _Fault("the URL names no host")
    if any(not label or len(label) > 63 for label in host.rstrip(".").split(".")):
        raise _Fault("the URL's host has an empty label or one of more than 63 characters")
    if port == 0:
        raise _Fault("the URL's port is not a number from 1 to 65535")
    return host, port or _PORTS[parts.scheme]


@dataclass(frozen=True, slots=True)
class Relays:
    """All targets. Each entry is (account, channel, target), with `*` for any."""

    entries: tuple[tuple[str, str, RelayTarget], ...] = ()

    def of(self, account: str, channel: str) -> tuple[RelayTarget, ...]:
        """Return the targets of one callback: those of the entries that name it most exactly."""
        for selector in ((account, channel), (account, _ALL), (_ALL, channel), (_ALL, _ALL)):
            found = [target for who, what, target in self.entries if (who, what) == selector]
            if found:
                return tuple(dict.fromkeys(found))
        return ()

    def by_key(self) -> dict[str, RelayTarget]:
        """Return every target under its name in the database."""
        return {target.key: target for _, _, target in self.entries}

    @classmethod
    def read(cls, text: str, channels: Collection[str] = ()) -> Self:
        """Read the setting; `channels` are the names that there are, where that is to be checked.

        Raises `SettingsError` with every bad entry. It counts them and does not show them: they may hold secrets.
        """
        entries, faults = [], []
        for place, entry in enumerate(text.split(), 1):
            try:
                entries.append(_entry(entry, channels))
            except ValueError as error:
                faults.append(f"{_NAME}: entry {place}: {error}. For example: {_NAME}={_EXAMPLE}")
        if faults:
            raise SettingsError("\n".join(faults))
        return cls(tuple(entries))


def _entry(entry: str, channels: Collection[str]) -> tuple[str, str, RelayTarget]:
    selector, sign, url = entry.partition("=")
    if not sign or "://" in selector:  # an equals sign inside a URL belongs to its query
        return _ALL, _ALL, RelayTarget.of(entry)
    account, slash, channel = selector.rpartition("/")
    account = account if slash else _ALL
    if not account or not channel or "/" in account:
        raise _Fault("what stands before = is neither CHANNEL nor ACCOUNT/CHANNEL")
    if channel != _ALL and channels and channel not in channels:
        known = ", ".join(sorted(channels))
        raise _Fault(f"there is no channel {channel!r}; for all of an account write ACCOUNT/*; there are {known}")
    return account, channel, RelayTarget.of(url)
