"""What events that are no delivery report mean for the person they are about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from codes.meaning import How, Match, Meaning, Outcome

STOP: Final = "stop"
START: Final = "start"

# Causes that a later opt-in by the same person in the same scope lifts.
# A number that was deactivated has a new owner when somebody opts in with it.
OPT_OUTS: Final = frozenset({"recipient_opted_out", "recipient_deactivated"})


@dataclass(frozen=True, slots=True)
class EventMeaning:
    """The cause that an event gives, or the causes whose suppressions it lifts; `advice` says what to make of it."""

    cause: str = ""
    lifts: frozenset[str] = frozenset()
    advice: str = ""


_STOPPED: Final = EventMeaning("recipient_opted_out", advice="The person does not want this any more; respect it.")
_STARTED: Final = EventMeaning(lifts=OPT_OUTS, advice="The person wants these messages again.")
_RESTRICTED: Final = EventMeaning(
    "sender_not_allowed", advice="The channel restricts this sender; look at its state at the provider."
)

# Infobip's name of the event, and the person's word (stop or start) where the event carries one.
EVENTS: Final[Mapping[tuple[str, str], EventMeaning]] = {
    ("COMPLAINED", ""): EventMeaning(
        "recipient_complained", advice="The person reported the e-mail as spam; write no more."
    ),
    ("UNSUBSCRIBED", ""): _STOPPED,
    ("LATE_BOUNCE", ""): EventMeaning(
        "recipient_unknown", advice="The mailbox refused after accepting; check the address."
    ),
    ("BLOCK", ""): _STOPPED,
    ("UNBLOCK", ""): EventMeaning(lifts=OPT_OUTS | {"recipient_blocklisted"}),
    ("SUBSCRIBE", ""): _STARTED,
    ("UNSUBSCRIBE", ""): _STOPPED,
    ("CONSENT_UPDATE", STOP): _STOPPED,
    ("CONSENT_UPDATE", START): _STARTED,
    ("MARKETING_SUBSCRIPTION_UPDATE", STOP): _STOPPED,
    ("MARKETING_SUBSCRIPTION_UPDATE", START): _STARTED,
    ("INBOUND_MESSAGE", STOP): _STOPPED,
    ("INBOUND_MESSAGE", START): _STARTED,
    ("IDENTITY_CHANGE", ""): EventMeaning("identity_changed", advice="Confirm who holds the number before sending."),
    ("HIGH_BOUNCE_RATE_WARNING", ""): EventMeaning(
        "sender_reputation", advice="The sender domain bounces too often; clean the audience before it is blocked."
    ),
    ("HIGH_BOUNCE_RATE_BLOCKED", ""): EventMeaning(
        "sender_reputation", advice="The sender domain is blocked over its bounces for 24 hours; clean the audience."
    ),
    ("TEMPLATE_UPDATE", "rejected"): EventMeaning(
        "content_rejected", advice="A template may no longer be sent; look at its state at the provider."
    ),
    ("SENDER_UPDATE", "restricted"): _RESTRICTED,
    ("SENDER_LAUNCH_UPDATE", "restricted"): _RESTRICTED,
    ("RCS_SENDER_STATUS_UPDATE", "restricted"): _RESTRICTED,
    ("RCS_SENDER_LAUNCH_STATUS_UPDATE", "restricted"): _RESTRICTED,
}


def event_meaning(kind: str, word: str = "") -> EventMeaning | None:
    """Return what the event `kind` means, with the person's or provider's `word` where it has one."""
    return EVENTS.get((kind, word)) or EVENTS.get((kind, ""))


def as_meaning(found: EventMeaning, channel: str, tables: str) -> Meaning:
    """Return an event's meaning in the form that the policy decides on."""
    nothing = Match(None, None, How.NOT_AT_ALL)
    return Meaning(
        channel=channel,
        outcome=Outcome.UNKNOWN,
        cause=found.cause,
        advice=found.advice,
        status=nothing,
        error=nothing,
        smtp="",
        conflict=False,
        unknown=False,
        tables=tables,
    )
