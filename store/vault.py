"""Keep people's addresses and messages unreadable to whoever gets hold of the database alone.

Keys live in the state folder, outside the database: one for the keyed hashes that addresses are looked up by, one or
two for sealing (AES-GCM), of which the first seals and all open. They are made at the very first start and never
again: a missing or foreign key stops the start, for a new one could read nothing. A key that is added to the file
later, by a rotation, is found when the first content comes that needs it.
"""

import json
import os
import secrets
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from reports.address import look_up_form
from store.database import Database
from store.errors import KeyMismatch, UnknownKey
from store.schema import meta
from store.writes import insert_new

KEY_FILE: Final = "keys.json"
_NONCE: Final = 12
_KEY_ID: Final = 4
_META: Final = "key_ids"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one installation. `sealing` holds the present key first."""

    hashing: bytes
    sealing: tuple[bytes, ...]

    @classmethod
    def make(cls) -> Self:
        """Return new random keys."""
        return cls(secrets.token_bytes(32), (AESGCM.generate_key(256),))

    @property
    def ids(self) -> dict[str, str]:
        """Names of the keys that tell nothing about them."""
        return {"hashing": _key_id(self.hashing).hex(), "sealing": _key_id(self.sealing[-1]).hex()}


class Vault:
    """Hashes, seals and opens. Safe to share between threads."""

    def __init__(self, keys: Keys, path: Path | None = None) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._reading = threading.Lock()
        self._use(keys)
        self._hash = lru_cache(maxsize=65_536)(self._hash_address)
        # For ever, since the hashing key never changes.
        self._begun = lru_cache(maxsize=1_024)(self._begin)

    def hash_address(self, account: str, address: str) -> bytes:
        """Return the 16 bytes by which `address` is looked up: one person of one account, whatever the spelling."""
        return self._hash(account, address)

    def _hash_address(self, account: str, address: str) -> bytes:
        return self.digest("address", account, look_up_form(address))

    def digest(self, kind: str, first: str, *parts: str) -> bytes:
        """Return 16 keyed bytes that stand for all that; each is length-prefixed, so none can pose as another.

        `kind` and `first`, an account as a rule, are the same for many: what they begin is kept. A copy of it is
        cheaper than working them, and the key, in anew.
        """
        keyed = self._begun(kind, first).copy()
        keyed.update("".join([f"{len(part)}:{part}" for part in parts]).encode("utf-8", "surrogatepass"))
        return keyed.digest()

    def _begin(self, kind: str, first: str) -> blake2b:
        text = f"{len(kind)}:{kind}{len(first)}:{first}"
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self.keys.hashing, digest_size=16)

    def seal(self, content: bytes) -> bytes:
        """Return `content` encrypted and authenticated, with the key's id and a nonce before it."""
        return self.seal_all((content,))[0]

    def seal_all(self, contents: Sequence[bytes]) -> list[bytes]:
        """Return each of `contents` as `seal` does: for many, the system is asked for nonces only once."""
        present, cipher = self._present
        nonces = os.urandom(_NONCE * len(contents))
        sealed = []
        for place, content in enumerate(contents):
            nonce = nonces[place * _NONCE : (place + 1) * _NONCE]
            sealed.append(present + nonce + cipher.encrypt(nonce, content, None))
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """Return what `seal` was given. Raises `KeyMismatch` where no key at hand opens it.

        With keys that are rotated on several hosts one after the other, the key may be in the file since a moment ago:
        the file is read again before anything is called unreadable.
        """
        cipher = self._ciphers.get(sealed[:_KEY_ID]) or self._newly_found(sealed[:_KEY_ID])
        if cipher is None:
            raise UnknownKey("a stored content was sealed with a key that is not in the key file; restore that file")
        try:
            return cipher.decrypt(sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :], None)
        except InvalidTag:
            raise KeyMismatch("a stored content was altered or sealed with another key of the same id") from None

    def has_key_of(self, sealed: bytes) -> bool:
        """Whether a key at hand opens what begins like this."""
        return sealed[:_KEY_ID] in self._ciphers

    def _use(self, keys: Keys) -> None:
        self.keys = keys
        ciphers = {_key_id(key): AESGCM(key) for key in keys.sealing}
        present = _key_id(keys.sealing[0])
        self._ciphers, self._present = ciphers, (present, ciphers[present])

    def _newly_found(self, key_id: bytes) -> AESGCM | None:
        """Read the key file again where it has changed; return the key's cipher if the file has it now."""
        with self._reading:
            stamp = _stamp(self._path)
            if self._path is not None and stamp != self._stamp:
                self._stamp = stamp
                try:
                    keys = read_keys(self._path)
                except (OSError, KeyMismatch):
                    return None  # half written, or broken: what was read at the start still counts
                # Another hashing key would find nobody again who is known; such a file is not this installation's.
                if keys.hashing == self.keys.hashing:
                    self._use(keys)
            return self._ciphers.get(key_id)


_Stamp = tuple[int, int, int]


def _stamp(path: Path | None) -> _Stamp | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None


def _key_id(key: bytes) -> bytes:
    return blake2b(key, digest_size=_KEY_ID, person=b"dlr-key-id").digest()


def open_vault(state_dir: Path, database: Database) -> Vault:
    """Return the vault of this installation; make its keys at the very first start.

    Raises `KeyMismatch` where the database was written with keys that are not in `state_dir`.
    """
    path = state_dir / KEY_FILE
    known = _known(database)
    if known is None:
        # Of several first starts at once, one makes the keys and one writes their ids; all then read what is there.
        _remember(database, read_keys(path) if path.exists() else _write_keys(path, Keys.make()))
        known = _known(database) or ""
    if not path.exists():
        raise KeyMismatch(
            f"{path} is missing, and the database holds content sealed with it; restore it from the backup"
        )
    keys = read_keys(path)
    if not _fits(keys, json.loads(known)):
        raise KeyMismatch(f"{path} holds other keys than the database was written with; restore it from the backup")
    return Vault(keys, path)


def _known(database: Database) -> str | None:
    with database.reading() as connection:
        return connection.execute(select(meta.c.value).where(meta.c.name == _META)).scalar()


def _fits(keys: Keys, known: dict[str, str]) -> bool:
    sealing = {_key_id(key).hex() for key in keys.sealing}
    return known["hashing"] == keys.ids["hashing"] and known["sealing"] in sealing


def _remember(database: Database, keys: Keys) -> None:
    with database.transaction() as connection:
        insert_new(connection, meta, [{"name": _META, "value": json.dumps(keys.ids)}])


def read_keys(path: Path) -> Keys:
    """Return the keys in `path`. Raises `KeyMismatch` where it holds none."""
    try:
        data = json.loads(path.read_text("ascii"))
        return Keys(b64decode(data["hashing"]), tuple(_each(data["sealing"])))
    except (ValueError, KeyError, TypeError) as error:
        raise KeyMismatch(f"{path} is not a key file ({error}); restore it from the backup") from None


def _each(texts: Iterable[str]) -> Iterable[bytes]:
    return (b64decode(text) for text in texts)


def _write_keys(path: Path, keys: Keys) -> Keys:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = {"hashing": b64encode(keys.hashing).decode(), "sealing": [b64encode(key).decode() for key in keys.sealing]}
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    # A link appears whole or not at all, and never replaces: of two first starts the second reads the first's keys.
    try:
        os.link(draft, path)
    except FileExistsError:
        return read_keys(path)
    finally:
        draft.unlink()
    return keys
