"""How a callback proves where it comes from: what a security setting of the Subscriptions API makes of a body.

HMAC's wire form is documented nowhere (INBOUND facts 5.6); `<algorithm>=<hex>` over the raw body in
`x-hub-signature` is what three unrelated receivers expect, and the header's name can be changed in the scenario.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

ALGORITHMS: Final[Mapping[str, str]] = {
    "HMAC_MD5": "md5",
    "HMAC_SHA_1": "sha1",
    "HMAC_SHA_224": "sha224",
    "HMAC_SHA_256": "sha256",
    "HMAC_SHA_384": "sha384",
    "HMAC_SHA_512": "sha512",
}
TYPES: Final = ("BASIC", "HMAC", "OAUTH", "CUSTOM")


def headers_of(security: Mapping[str, Any] | None, body: bytes, hmac_header: str) -> dict[str, str]:
    """Return the headers that go with `body`. OAUTH and CUSTOM are kept by the API, but nothing is sent for them."""
    if security is None:
        return {}
    credentials = security.get("credentials") or {}
    if security["type"] == "BASIC":
        pair = f"{credentials.get('username', '')}:{credentials.get('password', '')}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    if security["type"] == "HMAC":
        algorithm = ALGORITHMS[credentials["algorithm"]]
        digest = hmac.new(str(credentials["secretKey"]).encode(), body, algorithm).hexdigest()
        return {hmac_header: f"{algorithm}={digest}"}
    return {}
