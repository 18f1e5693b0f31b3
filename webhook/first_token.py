"""The URL token that is made at the very first start, so that there is never an open endpoint by default."""

import os
import secrets
from pathlib import Path
from typing import Final

from config.secrets import Secret
from config.settings import Settings

TOKEN_FILE: Final = "url_token"  # noqa: S105 - the name of the file
_BYTES: Final = 24


def ensure_url_token(settings: Settings) -> tuple[str, bool]:
    """Return the URL token to give Infobip and whether it was made just now.

    `DLR_URL_TOKEN` wins; without it the token lives in the state folder, readable by its owner only, and is made if
    there is none. Of several live tokens the first is returned.
    """
    if settings.url_token:
        return next(iter(settings.url_token.values()), ""), False
    path = settings.state_dir / TOKEN_FILE
    created = not path.exists() and _make(path)
    return next(iter(Secret("", path).values()), ""), created


def kept_token(settings: Settings) -> Secret:
    """Return the token check's secret: the configured one, or the file's, which is read again when it changes."""
    if settings.url_token:
        return settings.url_token
    ensure_url_token(settings)
    return Secret("", settings.state_dir / TOKEN_FILE)


def _make(path: Path) -> bool:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    # A link is all or nothing: of two first starts one makes the token, and neither ever reads half of one.
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
