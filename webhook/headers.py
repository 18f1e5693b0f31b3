"""The request's headers as they are kept for a relay."""

from typing import Final

from werkzeug.datastructures import Headers

# RFC 9110 7.6.1, and what describes the transfer and no longer fits what is kept.
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def kept_headers(headers: Headers) -> dict[str, str]:
    """Return all headers but hop-by-hop ones, the signature included: the database holds them sealed."""
    dropped = _HOP_BY_HOP
    connection = headers.get("Connection", "")
    if connection:
        dropped = dropped | {name.strip().lower() for name in connection.split(",")}
    return {name: value for name, value in headers.items() if name.lower() not in dropped}
