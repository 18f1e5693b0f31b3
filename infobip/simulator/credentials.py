"""Who may call: an App key, Basic, or a token from one of the two token endpoints (OUTBOUND facts 2)."""

import binascii
import hmac
import secrets
import threading
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infobip.simulator.clock import Clock
from infobip.simulator.errors import Refusal

USER: Final = "simulator"
"""The user of Basic and of a session, and the client id of OAuth2. Password and secret are the App key."""
_TOKEN_LASTS: Final = 3600.0


@dataclass
class Credentials:
    """The one account's credentials, and the tokens that are out."""

    api_key: str
    clock: Clock
    _tokens: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, header: str) -> None:
        """Raise `Refusal` (401) unless the Authorization header is one of the account's."""
        scheme, _, value = header.strip().partition(" ")
        scheme, value = scheme.lower(), value.strip()
        passes = {"app": self._is_key, "basic": self._is_pair, "bearer": self._is_token, "ibsso": self._is_token}
        if scheme not in passes or not passes[scheme](value, scheme):
            raise Refusal(401)

    def oauth2_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return a bearer token for a client id and secret. Raises `Refusal`."""
        if form.get("grant_type") != "client_credentials":
            raise Refusal(400, faults={"grant_type": "must be client_credentials"})
        self._login(form.get("client_id", ""), form.get("client_secret", ""))
        return {"access_token": self._issue("bearer"), "expires_in": int(_TOKEN_LASTS), "token_type": "Bearer"}

    def session(self, body: Any) -> dict[str, str]:
        """Return an IBSSO token for a user and a password. Raises `Refusal`."""
        if not isinstance(body, Mapping):
            raise Refusal(400, faults={"request": "must be an object"})
        self._login(str(body.get("username", "")), str(body.get("password", "")))
        return {"token": self._issue("ibsso")}

    def _login(self, user: str, secret: str) -> None:
        if not (_same(user, USER) and _same(secret, self.api_key)):
            raise Refusal(401)

    def _issue(self, scheme: str) -> str:
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[scheme, token] = self.clock.now() + _TOKEN_LASTS
        return token

    def _is_key(self, value: str, scheme: str) -> bool:
        return _same(value, self.api_key)

    def _is_pair(self, value: str, scheme: str) -> bool:
        try:
            user, _, password = b64decode(value, validate=True).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return False
        return _same(user, USER) and _same(password, self.api_key)

    def _is_token(self, value: str, scheme: str) -> bool:
        with self._lock:
            return self._tokens.get((scheme, value), -1.0) > self.clock.now()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right.encode())
