"""Which of our suppressions belong on which of Infobip's lists: only what a list can express, and never wider.

Pure: no I/O. What stands there in other words than ours is not written: an entry for one purpose or one campaign
would block more there than here, and so would one for a channel that the list does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BLOCKLIST: Final = "blocklist"
EMAIL: Final = "email"
PUSH: Final = "push"
LISTS: Final = (BLOCKLIST, EMAIL, PUSH)

OURS: Final = "CUSTOM"
"""`sourceType` of what is put on the Blocklist over the API; everything else there is a person's own stop."""
OWN_STOPS: Final = frozenset({"MO", "URL_OPT_OUT", "CAMPAIGN"})
INFOBIP: Final = "infobip"
"""The origin of entries that came from there."""

# Channels for which the Blocklist takes entries over the API (OUTBOUND 4.1): not voice, not push.
CHANNELS: Final = frozenset({"", "sms", "email", "viber", "rcs", "mms", "whatsapp"})
# E-mail suppressions know two reasons that can be added (OUTBOUND 4.2).
BOUNCE: Final = "BOUNCE"
COMPLAINT: Final = "COMPLAINT"
_REASONS: Final = {
    "recipient_unknown": BOUNCE,
    "address_invalid": BOUNCE,
    "recipient_complained": COMPLAINT,
}
_LONGEST: Final = 254  # what is longer was shortened with a hash when it was stored

# Why an entry is on none of the lists that are on.
FROM_THERE: Final = "came from Infobip"
WITH_END: Final = "with an end"
ONE_PURPOSE: Final = "for one purpose only"
ONE_CAMPAIGN: Final = "for one campaign only"
OTHER_CHANNEL: Final = "for a channel that no list takes"
NO_APPLICATION: Final = "a push registration without its application's code"


@dataclass(frozen=True, slots=True)
class Place:
    """One record of one of Infobip's lists, but for the address.

    `channel` is our slug (empty: all); `scope` the sender (empty: all), the sender's domain, or the application code;
    `source` the Blocklist's `sourceType`, or the reason of an e-mail suppression.
    """

    list: str
    channel: str
    scope: str
    source: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a suppression in force decides. `application` is the push application of the report that led to it."""

    channel: str
    sender: str
    campaign: str
    purpose: str
    cause: str
    origin: str
    ends: bool
    application: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which lists are on."""

    blocklist: bool = False
    email_domains: Sequence[str] = ()
    push: bool = False
    ends: bool = False


EVERYTHING: Final = Wishes(blocklist=True, push=True, ends=True)


def places_of(entry: Standing, wishes: Wishes) -> tuple[Place, ...]:
    """Return the records by which Infobip's lists can say what the entry says."""
    if _unfit(entry, wishes):
        return ()
    found = []
    if wishes.blocklist and entry.channel in CHANNELS:
        # E-mail senders are mostly written with a name, which the list does not know.
        sender = entry.sender.rpartition("<")[2].rstrip("> ") if "@" in entry.sender else entry.sender
        found.append(Place(BLOCKLIST, entry.channel, sender, OURS))
    if entry.channel == "email" and (reason := _REASONS.get(entry.cause)):
        of_sender = entry.sender.rpartition("@")[2].rstrip("> ").lower()
        domains = [name for name in wishes.email_domains if not entry.sender or name == of_sender]
        found += [Place(EMAIL, "email", domain, reason) for domain in domains]
    if wishes.push and entry.channel == "push" and (application := entry.sender or entry.application):
        found.append(Place(PUSH, "push", application, ""))
    return tuple(found)


def obstacle(entry: Standing, wishes: Wishes) -> str:
    """Return why an entry is on none of the lists that are on, or nothing: then it is on one of them."""
    if why := _unfit(entry, wishes):
        return why
    if places_of(entry, wishes):
        return ""
    return NO_APPLICATION if entry.channel == "push" and wishes.push else OTHER_CHANNEL


def _unfit(entry: Standing, wishes: Wishes) -> str:
    if entry.origin == INFOBIP:
        return FROM_THERE
    if entry.campaign:
        return ONE_CAMPAIGN
    if entry.purpose not in ("", "all"):
        return ONE_PURPOSE
    if len(entry.sender) > _LONGEST:
        return OTHER_CHANNEL
    return WITH_END if entry.ends and not wishes.ends else ""
