"""What a message counts as being for, and who says so: what was declared, else the policy, as for its resends."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from codes import Codes, CodesError
from config.settings import Settings
from policy import PolicyError, load_policy
from policy.history import Purpose
from policy.rules import Purposes
from store import sends

_SILENT: Final = "nobody said so"


def purposes_of(settings: Settings, codes: Codes) -> Purposes:
    """Return what the policy in force says of purposes; nothing where its file is broken, as `dlr doctor` tells."""
    try:
        return load_policy(settings.policy, codes.tables).purposes
    except (PolicyError, CodesError, OSError):
        return Purposes()


def purpose_of(connection: Connection, purposes: Purposes, row: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a message is taken to be for, and where that comes from, in words. `row` is one of `messages`."""
    send = sends.find(connection, [row["key"]]).get(row["key"])
    declared = send.purpose if send is not None else row["purpose"]
    if declared != Purpose.UNDECLARED:
        return declared, "declared with the send"
    known = {
        "campaign": send.campaign if send is not None else "",
        "sender": send.sender if send is not None else row["sender"],
        "application": send.application if send is not None else "",
    }
    for name, value in known.items():
        if found := getattr(purposes, name).get(value):
            return found.value, f"by the policy, for the {name} {value}"
    found = purposes.of_send(Purpose.UNDECLARED, row["account"], campaign="", sender="", application="")
    return found.value, _SILENT if found is Purpose.UNDECLARED else "by the policy's default"
