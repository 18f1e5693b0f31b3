"""Ask one account of Infobip for something. `send` tells what became of a message."""

import time
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlencode

from infobip.outbound.credentials import Credential
from infobip.outbound.endpoint import Endpoint
from infobip.outbound.endpoints import find
from infobip.outbound.errors import CannotResend
from infobip.outbound.hosts import check_base_url
from infobip.outbound.results import Exchange, Exchanged, NotSent, Refused, Result
from infobip.outbound.transport import Transport
from infobip.outbound.verdict import judge

_FORM: Final = "application/x-www-form-urlencoded"
_TOO_SLOW: Final = NotSent(
    "the access token came too late for this time", "Try again: the message itself has not left."
)


class Client:
    """One account: a base URL, a credential, and the process's transport. Safe to share between threads."""

    def __init__(
        self, base_url: str, credential: Credential, transport: Transport, allowed: Collection[str] = ()
    ) -> None:
        """Set up. Raises `BaseUrlRefused` where the credential must not travel there."""
        self._base = check_base_url(base_url, allowed)
        self._credential = credential
        self._transport = transport

    def send(
        self,
        endpoint: Endpoint,
        path: str,
        body: bytes,
        *,
        message_id: str,
        content_type: str = "application/json",
        latest: float | None = None,
    ) -> Result:
        """Post a request with one message under `message_id`, once, and return what became of it.

        It does not begin to leave after `latest` (`time.monotonic`), however long a token was waited for. Raises
        `CannotResend` where `path` is not that endpoint's.
        """
        if find(endpoint.method, path) is not endpoint:
            raise CannotResend(f"the path is none of {endpoint.name}")
        answer = self.ask(endpoint.method, path, body=body, content_type=content_type, latest=latest)
        return answer if isinstance(answer, Refused) else judge(endpoint, answer, message_id)

    def get(self, path: str, query: Mapping[str, str]) -> Exchange | Refused:
        """Read something."""
        return self.ask("GET", f"{path}?{urlencode(query)}")

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        latest: float | None = None,
    ) -> Exchange | Refused:
        """Send an authorised request and return the answer, whatever its status.

        A 401 proves that nothing was processed, so it is tried once more where the credential has been renewed.
        """
        named = {**(headers or {}), **({} if body is None else {"Content-Type": content_type})}
        for last in (False, True):
            header = self._credential.authorization(self._fetch)
            if not isinstance(header, str):
                return header
            if latest is not None and time.monotonic() > latest:
                return _TOO_SLOW
            answer = self._transport.exchange(method, self._base + path, {**named, "Authorization": header}, body)
            refused = isinstance(answer, Exchanged) and answer.http == 401
            if last or not refused or not self._credential.renew(header):
                return answer
        raise AssertionError("the second try always returns")

    def forward(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Exchange:
        """Pass a request on with the headers that it came with, its own Authorization among them."""
        return self._transport.exchange(method, self._base + path, headers, body)

    def _fetch(self, path: str, form: bytes) -> Exchange:
        return self._transport.exchange("POST", self._base + path, {"Content-Type": _FORM}, form)
