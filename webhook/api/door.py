"""What every request to the API goes through first: its key, then its body."""

from dataclasses import dataclass
from typing import Any

from flask import g, request

from infobip.outbound.wire import NotJson, parse
from store.api_keys import ApiKey
from webhook.api.errors import KeyLacksScope, NoKey, NotJsonObject
from webhook.body import Body, unpack
from webhook.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Door:
    """Lets requests in. `limit` is the largest body in bytes."""

    keys: KeyRing
    limit: int

    def admit(self, scope: str) -> ApiKey:
        """Return the key that the request brings. Raises `NoKey` and `KeyLacksScope`."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        key = self.keys.find(given.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise NoKey("the request brings no key that is live")
        g.line = {"account": key.account, "key_id": str(key.id)}
        if scope not in key.scopes:
            raise KeyLacksScope(f"the key has no scope {scope}")
        return key

    def body(self) -> dict[str, Any]:
        """Return the body as a tree that keeps the text of every number. Raises `NotJsonObject` and `TooLarge`."""
        return tree(self.raw())

    def raw(self) -> bytes:
        """Return the plain body. Raises `TooLarge` and what else `webhook.body` raises."""
        return unpack(Body(request.environ, self.limit).raw(), request.headers.get("Content-Encoding", ""), self.limit)


def tree(raw: bytes) -> dict[str, Any]:
    """Return the tree of a JSON object. Raises `NotJsonObject`."""
    try:
        found = parse(raw)
    except NotJson as error:
        raise NotJsonObject(str(error)) from None
    if not isinstance(found, dict):
        raise NotJsonObject("the body is no JSON object")
    return found
