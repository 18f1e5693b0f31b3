"""What a request to Infobip can come to: a small closed set. No text in it holds an address, content or a secret."""

from dataclasses import dataclass
from datetime import timedelta

from codes.ref import CodeRef


@dataclass(frozen=True, slots=True)
class Sent:
    """Infobip has the message. `already`: it had it before, under the same id."""

    message_id: str
    status: CodeRef | None
    already: bool = False
    bulk_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Infobip does not take it. Repeating the same is no use, unless what `code` or `status` says passes."""

    code: str
    """Infobip's own code where there is one: `E403`, `BAD_REQUEST`, or the name of the status."""
    text: str
    next_step: str
    http: int
    status: CodeRef | None = None
    """The status of the message, where the request itself was fine."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proven: nothing of the message was processed. It may be sent later under the same id."""

    reason: str
    next_step: str
    retry_after: timedelta | None = None
    """How long Infobip asks to wait. It may ask for time without saying how much: see `throttled`."""
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message may have been accepted. Only the logs can tell; it must not be posted again before."""

    reason: str
    http: int | None = None


Result = Sent | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An answer of any status."""

    http: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of that name, or the empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


Exchange = Exchanged | NotSent | Unknown
