"""Why a connection failed, in words without host, path or address."""

import ssl
from collections.abc import Iterator
from http.client import HTTPException
from socket import gaierror
from typing import Final

from infobip.outbound.answer_http import NoHttp

_TRY_LATER: Final = "Try again later. If it stays so, check the base URL, the firewall and the name server."


def reason_of(error: BaseException) -> str:
    """Return what happened below `error`, which libraries wrap several times."""
    found = list(_causes(error))
    for kind, words in _WORDS:
        if any(isinstance(one, kind) for one in found):
            return words
    return f"the connection failed ({type(found[-1]).__name__})"


def next_step_of(error: BaseException) -> str:
    """Return what to do about an error before anything left."""
    if any(isinstance(one, ssl.SSLError) for one in _causes(error)):
        return "Check that the base URL is right and that nothing on the way replaces Infobip's certificate."
    return _TRY_LATER


_WORDS: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...]] = (
    (gaierror, "the host's name is not found"),
    (ssl.SSLCertVerificationError, "the certificate is not accepted"),
    (ssl.SSLError, "no secure connection"),
    (ConnectionRefusedError, "the connection is refused"),
    (ConnectionResetError, "the connection was reset"),
    (BrokenPipeError, "the connection was ended while sending"),
    (TimeoutError, "it took too long"),
    ((NoHttp, HTTPException), "the answer is cut, or is not HTTP"),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps, from the outside in."""
    waiting, seen = [error], {id(error)}
    while waiting:
        one = waiting.pop(0)
        yield one
        for inner in (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__):
            if isinstance(inner, BaseException) and id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)
