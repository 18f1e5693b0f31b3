"""The closed vocabulary of causes: why a message has the state it has, in words that are not Infobip's.

A cause says whom a report blames and how much it tells. What to do about it is the policy's affair.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Blame(StrEnum):
    """Who or what a cause is about."""

    NOBODY = "nobody"
    PERSON = "person"
    ADDRESS = "address"
    CONTENT = "content"
    ACCOUNT = "account"
    NETWORK = "network"
    UNKNOWN = "unknown"


class Depth(StrEnum):
    """How much a cause tells; of a status and an error, the deeper one names the cause."""

    NOTHING = "nothing"
    """No reason at all: `unspecified`, `unknown`."""
    GENERIC = "generic"
    """What happened, hardly why: `expired`, `carrier_rejected`."""
    SPECIFIC = "specific"
    """A reason that can be acted on."""
    DECIDING = "deciding"
    """Settles the case whatever stands beside it: a fraud filter, a duplicate, an outcome nobody knows."""


DEPTHS: Final = {depth: rank for rank, depth in enumerate(Depth)}


@dataclass(frozen=True, slots=True)
class Cause:
    """One word of the vocabulary. `summary` completes the sentence 'It did not arrive because ...'."""

    name: str
    blame: Blame
    depth: Depth
    summary: str


def _causes(blame: Blame, depth: Depth, **summaries: str) -> dict[str, Cause]:
    return {name: Cause(name, blame, depth, summary) for name, summary in summaries.items()}


CAUSES: Final[dict[str, Cause]] = {
    **_causes(
        Blame.NOBODY,
        Depth.NOTHING,
        unspecified="no reason was given",
    ),
    **_causes(
        Blame.UNKNOWN,
        Depth.NOTHING,
        unknown="of a code that is not in the tables",
    ),
    **_causes(
        Blame.NOBODY,
        Depth.GENERIC,
        delivered="it arrived",
        pending="it is still on its way",
        cancelled="it was cancelled on our side",
        expired="its validity ran out",
    ),
    **_causes(
        Blame.NOBODY,
        Depth.DECIDING,
        duplicate="a message with the same id or content was sent before",
        unconfirmed="nobody confirmed it, and it may have arrived all the same",
    ),
    **_causes(
        Blame.PERSON,
        Depth.SPECIFIC,
        recipient_unknown="nobody has this address",
        recipient_deactivated="the number was deactivated",
        recipient_opted_out="the person opted out",
        recipient_blocklisted="the address is on a blocklist",
        recipient_complained="the person complained about an earlier message",
        recipient_dnd="the person is on a do-not-disturb register or has given no consent",
        recipient_barred="the person's service is barred or suspended",
        recipient_not_on_channel="the person cannot be reached on this channel",
        recipient_capped="the person has had as many such messages as the channel allows",
        identity_changed="somebody else may hold this address now",
        recipient_unreachable="the person's device could not be reached",
        recipient_busy="the person's line was busy",
        recipient_no_answer="nobody answered",
        recipient_full="the person's inbox is full",
        recipient_out_of_credit="the person's prepaid card is empty",
        recipient_declined="the person declined",
        machine_answered="a machine answered",
        conversation_closed="the person's conversation window is closed",
    ),
    **_causes(
        Blame.ADDRESS,
        Depth.SPECIFIC,
        address_invalid="the address is not valid as written",
    ),
    **_causes(
        Blame.CONTENT,
        Depth.SPECIFIC,
        content_rejected="the content was refused",
        request_invalid="the request was wrong",
        outside_hours="it is not allowed at this hour",
        flooding="this address got too many messages in a short time",
    ),
    **_causes(
        Blame.ACCOUNT,
        Depth.SPECIFIC,
        sender_not_allowed="the sender may not be used there",
        sender_reputation="the sender's reputation is too low",
        account_funds="the account has no credit",
        account_setup="the account is not set up for it",
        throttled="the sender goes too fast",
        quota_reached="a quota is used up",
    ),
    **_causes(
        Blame.ACCOUNT,
        Depth.DECIDING,
        fraud_blocked="an anti-fraud filter stopped it",
    ),
    **_causes(
        Blame.NETWORK,
        Depth.GENERIC,
        carrier_rejected="the carrier refused it",
    ),
    **_causes(
        Blame.NETWORK,
        Depth.SPECIFIC,
        route_unavailable="there is no route to this network",
        route_incompatible="the route cannot carry it",
        carrier_failure="the carrier's network failed",
        platform_failure="the platform failed",
    ),
}

# Causes on the strength of which a person may be left alone at once and for long: the person's own word, or the
# carrier's word that the number is dead. They are never held back by the guard against mass suppression.
FIRM: Final = frozenset({"recipient_opted_out", "recipient_complained", "recipient_dnd", "recipient_deactivated"})

# Causes that lie with our account or our sender: what Infobip rejects for one of them never reached a network, and may
# be sent again once somebody has put it right. A bad reputation and a fraud filter only get worse by sending more.
OURS: Final = frozenset({"account_funds", "account_setup", "sender_not_allowed", "throttled", "quota_reached"})
