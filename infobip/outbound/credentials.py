"""How requests to Infobip are authorised (OUTBOUND 2): API key, Basic, or OAuth2 client credentials.

Secrets are in `Secret`, which shows nothing of them; of tokens nothing is shown either.
"""

import hmac
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlencode

from config.secrets import Secret
from infobip.outbound.problems import read_problem
from infobip.outbound.results import Exchange, Exchanged, NotSent, Refused, Unknown
from infobip.outbound.wire import NotJson, members, parse, text, whole

TOKEN_PATH: Final = "/auth/1/oauth2/token"  # noqa: S105 - a path
Authorization = str | Refused | NotSent
"""The value of the header, or why there is none."""
Fetch = Callable[[str, bytes], Exchange]
"""Posts a form to a path, without an Authorization header."""

# A token is given up this long before its end, or a tenth of its life before, whichever is shorter.
_MARGIN: Final = 60.0
_NO_SECRET: Final = Refused(
    code="no_credential",
    text="no secret for Infobip is set, or it has characters beyond ASCII",
    next_step="Set the account's Infobip credential.",
    http=401,
)


class Credential(Protocol):
    """One account's right to send."""

    def authorization(self, fetch: Fetch) -> Authorization:
        """Return the header's value. `fetch` is used where a token has to be asked for."""

    def renew(self, refused: str) -> bool:
        """After a 401 to the header `refused`: whether another one is worth one more try."""


class AppKey:
    """An API key."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def authorization(self, fetch: Fetch) -> Authorization:
        """Return `App <key>`."""
        key = _first(self._key)
        return f"App {key}" if key else _NO_SECRET

    def renew(self, refused: str) -> bool:
        """Return whether the key has been replaced since."""
        return f"App {_first(self._key)}" != refused


class Basic:
    """User name and password, which Infobip recommends least."""

    def __init__(self, user: str, password: Secret) -> None:
        self._user = user
        self._password = password

    def authorization(self, fetch: Fetch) -> Authorization:
        """Return `Basic <user:password in base64>`."""
        password = _first(self._password)
        return f"Basic {b64encode(f'{self._user}:{password}'.encode()).decode()}" if password else _NO_SECRET

    def renew(self, refused: str) -> bool:
        """Return whether the password has been replaced since."""
        return self.authorization(_never) != refused


class OAuth2:
    """Client credentials: a token is asked for, kept until shortly before its end, and asked for anew after a 401."""

    def __init__(self, client_id: str, client_secret: Secret, clock: Callable[[], float] = time.monotonic) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._header = ""
        self._until = 0.0

    def authorization(self, fetch: Fetch) -> Authorization:
        """Return `Bearer <token>`."""
        with self._lock:  # one thread asks, the others wait for what it gets
            if self._header and self._clock() < self._until:
                return self._header
            secret = _first(self._client_secret)
            if not secret:
                return _NO_SECRET
            form = {"client_id": self._client_id, "client_secret": secret, "grant_type": "client_credentials"}
            asked_at = self._clock()
            return self._keep(fetch(TOKEN_PATH, urlencode(form).encode()), asked_at)

    def renew(self, refused: str) -> bool:
        """Forget the token, if it is still this one. Another one is always worth a try."""
        with self._lock:
            if self._header == refused:
                self._header = ""
        return True

    def _keep(self, answer: Exchange, asked_at: float) -> Authorization:
        if isinstance(answer, NotSent):
            return answer
        # Whatever became of the request for a token: the message itself has not left.
        if isinstance(answer, Unknown):
            return _no_token(answer.reason)
        if 400 <= answer.http < 500 and answer.http not in (408, 425, 429):
            problem = read_problem(answer.body)
            return Refused(
                code=problem.code or f"HTTP {answer.http}",
                text=f"no access token is given: {problem.text or 'no reason is given'}",
                next_step="Check the client id and the client secret in the Infobip portal.",
                http=answer.http,
            )
        token, life = _token(answer)
        if not token:
            return _no_token(f"it answered {answer.http} without a token")
        self._header = f"Bearer {token}"
        self._until = asked_at + life - min(_MARGIN, life / 10)
        return self._header


def mark(header: str, key: bytes) -> bytes:
    """Return a mark that tells one Authorization header from another and nothing else: an HMAC, 32 bytes.

    Tokens change, and with them the mark; API keys and Basic keep theirs. The scheme's case does not count.
    """
    scheme, _, value = header.strip().partition(" ")
    return hmac.digest(key, f"{scheme.lower()} {value.strip()}".encode("utf-8", "surrogateescape"), "sha256")


def _token(answer: Exchanged) -> tuple[str, float]:
    """Return a token that can stand in a header, and the seconds it lives."""
    try:
        body = members(parse(answer.body))
    except NotJson:
        return "", 0.0
    token = text(body.get("access_token"))
    fit = token.isascii() and token.isprintable() and " " not in token
    return (token if fit else ""), float(whole(body.get("expires_in")) or 0)


def _no_token(reason: str) -> NotSent:
    return NotSent(f"no access token is to be had: {reason}", "Try again later: the message itself has not left.")


def _first(secret: Secret) -> str:
    value = next(iter(secret.values()), "")
    return value if value.isascii() and value.isprintable() else ""


def _never(path: str, form: bytes) -> Exchange:
    raise AssertionError("no token is needed")
