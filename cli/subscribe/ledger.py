"""What this installation has set up at Infobip, and with which secrets: one file of the state folder, 0600.

The endpoint reads the secrets in it (`config.hmac_keys`), so the order of writing is what keeps callbacks from being
refused: a secret is here before Infobip gets it, and stays here after Infobip has another one.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from config.hmac_keys import CURRENT, HMAC_FILE, MADE, RETIRED

KEEP: Final = timedelta(hours=48)
"""How long a secret is accepted after Infobip got another one.

A callback is repeated for 41.5 hours (INBOUND facts 5.4), and nobody says whether it is then signed anew; the rest is
for changes that take a while to reach all of Infobip's senders.
"""
_BYTES: Final = 32
_LOCK_FILE: Final = "subscriptions.lock"


class LedgerError(Exception):
    """The file cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A secret and since when it is in its state."""

    secret: str
    state: str
    since: datetime

    def __repr__(self) -> str:
        return f"KeptSecret({self.state}, {self.since:%Y-%m-%d %H:%M})"


@dataclass(frozen=True, slots=True)
class KeptChannel:
    """How a channel was subscribed to. `url` is a digest: the URL may hold a token."""

    inbound: bool = False
    tracking: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One account."""

    prefix: str = ""
    algorithm: str = ""
    secrets: tuple[KeptSecret, ...] = ()
    channels: Mapping[str, KeptChannel] = field(default_factory=dict)

    def of(self, state: str) -> tuple[KeptSecret, ...]:
        """Return the secrets in a state, the oldest first."""
        return tuple(one for one in self.secrets if one.state == state)

    @property
    def newest(self) -> KeptSecret | None:
        """The secret that Infobip is to have: the one that is being given to it, else the one that it has."""
        return next(iter((*self.of(MADE), *self.of(CURRENT))), None)

    def with_new(self, now: datetime) -> "Record":
        """Return it with one more secret, unless one that Infobip has not got yet is there already."""
        if self.of(MADE):
            return self
        made = KeptSecret(secrets.token_urlsafe(_BYTES), MADE, now)
        return replace(self, secrets=(*self.secrets, made))

    def given(self, now: datetime) -> "Record":
        """Return it as it is once Infobip has the newest secret: what it had before is kept for repeated callbacks."""
        if not self.of(MADE):
            return self
        changed = {CURRENT: RETIRED, MADE: CURRENT}
        return replace(
            self,
            secrets=tuple(
                KeptSecret(one.secret, changed[one.state], now) if one.state in changed else one for one in self.secrets
            ),
        )

    def due(self, now: datetime) -> tuple[KeptSecret, ...]:
        """Return the retired secrets that no repeated callback can be signed with any more."""
        return tuple(one for one in self.of(RETIRED) if now - one.since >= KEEP)

    def without(self, gone: tuple[KeptSecret, ...]) -> "Record":
        """Return it without these secrets."""
        return replace(self, secrets=tuple(one for one in self.secrets if one not in gone))


class Ledger:
    """The file. Whoever changes it holds `locked`."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / HMAC_FILE

    def read(self) -> dict[str, Record]:
        """Return the records by account. Raises `LedgerError`."""
        try:
            content = json.loads(self.path.read_text("utf-8"))
            return {name: _record(values) for name, values in content["accounts"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(
                f"{self.path} cannot be read ({type(error).__name__}). Restore it from a backup: Infobip signs with a "
                "secret that stands in it. Without one, move it away and run `dlr subscribe create --take-over`."
            ) from None

    def of(self, account: str) -> Record:
        """Return an account's record; an empty one where nothing is set up. Raises `LedgerError`."""
        return self.read().get(account, Record())

    def put(self, account: str, record: Record) -> None:
        """Write an account's record so that a reader sees all of it or none of it. Raises `LedgerError`."""
        records = self.read()
        records[account] = record
        if not (record.secrets or record.channels):
            del records[account]
        content = {"accounts": {name: _plain(one) for name, one in sorted(records.items())}}
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(self.path.parent)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other commands from changing it meanwhile. Raises `LedgerError` where one is at it."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_name(_LOCK_FILE), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LedgerError("Another `dlr subscribe` is at work here. Wait for its end.") from None
            yield
        finally:
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(record: Record) -> dict[str, Any]:
    return {
        "prefix": record.prefix,
        "algorithm": record.algorithm,
        "secrets": [
            {"secret": one.secret, "state": one.state, "since": one.since.isoformat()} for one in record.secrets
        ],
        "channels": {slug: asdict(channel) for slug, channel in sorted(record.channels.items())},
    }


def _record(values: Mapping[str, Any]) -> Record:
    found = tuple(
        KeptSecret(str(one["secret"]), str(one["state"]), datetime.fromisoformat(one["since"]).astimezone(UTC))
        for one in values["secrets"]
    )
    channels = {slug: KeptChannel(**channel) for slug, channel in values["channels"].items()}
    return Record(values["prefix"], values["algorithm"], found, channels)
