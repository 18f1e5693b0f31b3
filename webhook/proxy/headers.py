"""Headers on their way through: all but those of the connection, and ours."""

from collections.abc import Iterable
from typing import Final

from werkzeug.datastructures import Headers

from webhook.headers import kept_headers

_OURS: Final = "x-dlr-"
# Made anew for the next connection.
_OF_THE_HOP: Final = frozenset({"host", "accept-encoding"})
# Of that connection, or what the server in front of the application says for itself.
_NOT_ANSWERED: Final = frozenset(
    {"connection", "content-length", "date", "keep-alive", "server", "trailer", "transfer-encoding", "upgrade"}
)


def headers_to_send(headers: Headers, *, rewritten: bool) -> dict[str, str]:
    """Return the headers with which a request leaves. Nothing that the application did not send is added."""
    kept = {
        name: value
        for name, value in kept_headers(headers).items()
        if not name.lower().startswith(_OURS) and name.lower() not in _OF_THE_HOP
    }
    if rewritten:  # what leaves then is the plain JSON
        kept = {name: value for name, value in kept.items() if name.lower() != "content-encoding"}
    return kept


def headers_to_answer(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of Infobip's answer for the application."""
    return [(name, value) for name, value in headers if name.lower() not in _NOT_ANSWERED]
