"""A callback as it came, sealed as one value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from store.vault import Vault


@dataclass(frozen=True, slots=True)
class Raw:
    """A callback as it came."""

    headers: Mapping[str, str]
    body: bytes


def pack(vault: Vault, raw: Raw) -> bytes:
    """Return a callback sealed."""
    head = json.dumps(dict(raw.headers)).encode()
    return vault.seal(len(head).to_bytes(4) + head + raw.body)


def unpack(vault: Vault, packed: bytes) -> Raw:
    """Return what `pack` sealed. Raises what `Vault.open` raises."""
    content = vault.open(packed)
    end = 4 + int.from_bytes(content[:4])
    return Raw(json.loads(content[4:end]), content[end:])
