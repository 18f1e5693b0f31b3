"""The secrets that callbacks may be signed with: the configured ones, and those that `dlr subscribe` makes.

The latter stand in a file of the state folder, which is read again whenever it changes: a secret that is written there
counts at once and without a restart, beside those that count already. That is how a secret is changed without a gap.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from config.settings import Settings

HMAC_FILE: Final = "subscriptions.json"
MADE, CURRENT, RETIRED = "made", "current", "retired"
"""States of a secret: about to be given to Infobip, in use there, no longer in use there but still accepted."""
_ORDER: Final = (CURRENT, MADE, RETIRED)
_MAIN: Final = "main"


class HmacKeys:
    """All live HMAC secrets. The first is the one that Infobip signs with for `main`, as far as that is known."""

    def __init__(self, settings: Settings) -> None:
        self._configured = settings.hmac_secret
        self._path: Path = settings.state_dir / HMAC_FILE
        self._stamp: tuple[int, int, int] | None = None
        self._kept: tuple[str, ...] = ()

    def values(self) -> tuple[str, ...]:
        """Return the live secrets, without any twice."""
        return tuple(dict.fromkeys((*self._own(), *self._configured.values())))

    def __bool__(self) -> bool:
        return bool(self.values())

    def _own(self) -> tuple[str, ...]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._kept = None, ()
            return ()
        except OSError:
            return self._kept
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._stamp:
            try:
                self._kept = live_secrets(json.loads(self._path.read_text("utf-8")))
                self._stamp = stamp
            except (OSError, ValueError):
                pass  # damaged or just being replaced: what was read before still counts
        return self._kept


def live_secrets(content: Any) -> tuple[str, ...]:
    """Return the secrets of a file's content: `main`'s first, of each account the one in use before the others."""
    accounts = content.get("accounts") if isinstance(content, Mapping) else None
    found: list[tuple[bool, int, str]] = []
    for name, account in (accounts if isinstance(accounts, Mapping) else {}).items():
        secrets = account.get("secrets") if isinstance(account, Mapping) else None
        for one in secrets if isinstance(secrets, list) else []:
            if isinstance(one, Mapping) and one.get("secret") and one.get("state") in _ORDER:
                found.append((name != _MAIN, _ORDER.index(one["state"]), str(one["secret"])))
    return tuple(secret for _, _, secret in sorted(found, key=lambda one: one[:2]))
