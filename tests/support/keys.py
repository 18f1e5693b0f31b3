"""Put keys into a key file, as an operator does who rotates them on several hosts one after the other."""

import json
import os
from base64 import b64encode
from pathlib import Path

from store.vault import Keys


def write_keys(path: Path, keys: Keys) -> None:
    """Replace the key file at once, as a careful operator does."""
    data = {"hashing": b64encode(keys.hashing).decode(), "sealing": [b64encode(key).decode() for key in keys.sealing]}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(data))
    draft.chmod(0o600)
    os.replace(draft, path)


def rotated(keys: Keys) -> Keys:
    """Return `keys` with a new sealing key before the old ones."""
    return Keys(keys.hashing, (*Keys.make().sealing, *keys.sealing))
