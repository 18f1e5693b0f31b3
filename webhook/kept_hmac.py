"""The HMAC secret that signs callbacks: the configured one, or the one that `dlr subscribe` makes and turns over."""

from typing import Final

from config.secrets import Secret
from config.settings import Settings

HMAC_FILE: Final = "hmac-secret"
"""In the state folder; one live secret on each line."""


def kept_hmac(settings: Settings) -> Secret:
    """Return the secret of the signature check. A file is read again when it changes, or when it comes to be."""
    return settings.hmac_secret or Secret("", settings.state_dir / HMAC_FILE, missing_ok=True)
