"""The message id that an attempt has."""

from sqlalchemy import Connection

from infobip.outbound import new_id
from store import aliases, messages
from store.resending import Resend
from store.vault import Vault


def id_of(connection: Connection, vault: Vault, one: Resend, original: str, address: str) -> str:
    """Return the attempt's id: the one that it had already, else one that no other message to `address` has."""
    if one.new_id:
        return one.new_id
    found = new_id(original, one.attempt)
    key = messages.key_of(vault, one.account, found, address)
    # An application that numbers its own repetitions in the same way must not lose one, nor we ours.
    return new_id(original, one.attempt, told_apart=True) if aliases.is_taken(connection, key) else found
