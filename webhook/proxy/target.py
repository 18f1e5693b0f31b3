"""What a URL of the pass-through says: `/proxy/<key>/<path at Infobip>?<query>`, taken as it was written."""

import string
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from webhook.proxy.errors import BadPath

_PREFIX: Final = "/proxy/"
_AS_WRITTEN: Final = "".join(letter for letter in string.printable if letter.isprintable() and letter != " ")


@dataclass(frozen=True, slots=True)
class Target:
    """The URL of one request, read. `path` and `query` are Infobip's, escaped as the application escaped them."""

    key: str = field(repr=False)
    path: str = field(repr=False)
    query: str = field(repr=False)

    @property
    def known(self) -> str:
        """The path by which an endpoint is found: unescaped, without a slash at its end."""
        return unquote(self.path).rstrip("/")

    @property
    def uri(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def check(self) -> None:
        """Raise `BadPath` for a path that somebody on the way might shorten to another one."""
        if {".", ".."} & set(unquote(self.path).replace("\\", "/").split("/")):
            raise BadPath("the path has . or .. in it")


def read_target(environ: dict[str, Any]) -> Target | None:
    """Return what the request line says, or nothing where there is no key in it."""
    uri = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
    if not uri.startswith("/"):  # the absolute form, as clients write it to what they take for a forward proxy
        parts = urlsplit(uri)
        uri = f"{parts.path}?{parts.query}" if parts.query else parts.path
    path, _, query = quote(uri.partition("#")[0].encode("latin-1", "replace"), safe=_AS_WRITTEN).partition("?")
    if not path.startswith(_PREFIX):
        return None
    key, slash, rest = path.removeprefix(_PREFIX).partition("/")
    return Target(unquote(key), slash + rest, query) if key and slash else None
