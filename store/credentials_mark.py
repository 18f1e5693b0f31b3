"""A mark that tells one Authorization header from another, and nothing else."""

from store.vault import Vault


def mark_of(vault: Vault, header: str) -> bytes:
    """Return 16 keyed bytes that stand for an Authorization header; empty where there is none.

    The scheme's case and blanks around the value do not count. API keys and Basic keep their mark; a token that is
    renewed gets another one.
    """
    scheme, _, value = header.strip().partition(" ")
    return vault.digest("credential", scheme.lower(), value.strip()) if scheme else b""
