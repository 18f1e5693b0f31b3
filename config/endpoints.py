"""What every URL of the customer's own has in common: where it is, and the secret that signs what goes there."""

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from config.relays import RelayTarget
from config.secrets import Secret

_LEAST, _MOST = 24, 64  # bytes, as Standard Webhooks ask for
_MAKE_ONE: Final = "`dlr forward secret` makes a new one"


def target_of(url: str, *, private: bool, key: str = "private") -> RelayTarget:
    """Read a URL that signed requests go to. Raises `ValueError` saying what is wrong, without showing it."""
    target = RelayTarget.of(url)
    if not target.secure and not private:
        raise ValueError(f"http:// would show everything to everybody on the way: write https://, or {key} = true")
    return target


def secret_of(table: Mapping[str, Any], folder: Path, key: str) -> Secret:
    """Return the secret of `key`, or of the file that `key`_file names. Raises `ValueError`, without showing it."""
    if (key in table) == (f"{key}_file" in table):
        raise ValueError(f"{key}: write one of {key} and {key}_file; {_MAKE_ONE}")
    secret = Secret(table[key]) if key in table else Secret(path=folder / table[f"{key}_file"])
    try:
        texts = secret.values()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{key}_file: {error}") from None
    if not texts or not all(map(_is_secret, texts)):
        raise ValueError(f"{key}: it is not whsec_ and then Base64 of {_LEAST} to {_MOST} bytes; {_MAKE_ONE}")
    return secret


def _is_secret(text: str) -> bool:
    try:
        return _LEAST <= len(b64decode(text.removeprefix("whsec_"), validate=True)) <= _MOST
    except ValueError:
        return False
