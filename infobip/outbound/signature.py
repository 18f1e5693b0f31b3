"""The header by which an application knows Infobip's callbacks: what we make ourselves is signed as they are."""

import base64
import hmac

from config.settings import Settings


def signature_of(settings: Settings, body: bytes) -> dict[str, str]:
    """Return the header with the HMAC of `body`, under the newest secret that is configured; empty without one."""
    key = next(iter(settings.hmac_secret.values()), "")
    if not key or not settings.hmac_header:
        return {}
    digest = hmac.digest(key.encode(), body, settings.hmac_algorithm.lower())
    encoding = settings.hmac_encoding.lower()
    encode = base64.b64encode if encoding == "base64" else base64.urlsafe_b64encode
    written = digest.hex() if encoding == "hex" else encode(digest).decode("ascii")
    return {settings.hmac_header: settings.hmac_prefix + written}
