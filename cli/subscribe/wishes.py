"""What is to stand at Infobip: names, and the bodies of security setting, profiles and subscriptions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from infobip.outbound.subscription_channels import SubscribedChannel

PREFIX: Final = "dlr"
_PLAIN: Final = re.compile(r"[A-Za-z0-9]+")
_OTHER: Final = re.compile(r"[^A-Za-z0-9]+")
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of what is ours: nothing else at Infobip is ever changed or removed."""

    prefix: str
    account: str

    @property
    def security(self) -> str:
        """The security setting's id: one for each account."""
        return f"{self.prefix}-{_slug(self.account)}"

    def channel(self, slug: str) -> str:
        """Return the id of a channel's subscription, and of its profile."""
        return f"{self.security}-{slug}"


@dataclass(frozen=True, slots=True)
class Wish:
    """One channel as it is to be."""

    channel: SubscribedChannel
    inbound: bool
    tracking: bool
    url: str

    @property
    def events(self) -> tuple[str, ...]:
        """Infobip's names of the events."""
        return self.channel.wanted(inbound=self.inbound, tracking=self.tracking)


def security_body(secret: str, algorithm: str) -> Body:
    """Return the content of the security setting, without its id."""
    return {"type": "HMAC", "credentials": {"secretKey": secret, "algorithm": infobip_algorithm(algorithm)}}


def infobip_algorithm(algorithm: str) -> str:
    """Return Infobip's name of an algorithm: HMAC_SHA_256 for sha256."""
    return "HMAC_" + algorithm.upper().replace("SHA", "SHA_")


def profile_body(wish: Wish, names: Names, headers: Mapping[str, str], there: Body | None = None) -> Body:
    """Return the content of a profile; what somebody tuned in it (`there`) stays, the rest of PUT replaces all."""
    kept = {name: value for name, value in (there or {}).items() if name not in ("profileId", "webhook", "security")}
    webhook = {**_members(there, "webhook"), "notifyUrl": wish.url}
    body = {**kept, "webhook": webhook, "security": {"authId": names.security}}
    if headers or _members(there, "headers"):
        body["headers"] = {**_members(there, "headers"), **headers}
    return body


def subscription_body(wish: Wish, names: Names, there: Body | None = None) -> Body:
    """Return the content of a subscription; events, criteria, senders and users that somebody added stay."""
    kept = {name: value for name, value in (there or {}).items() if name != "subscriptionId"}
    name = f"Delivery reports to dlr ({names.account}, {wish.channel.slug})"
    events = list(dict.fromkeys((*events_of(there), *wish.events)))
    return {"name": name, **kept, "events": events, "profile": {"profileId": names.channel(wish.channel.slug)}}


def events_of(body: Body | None) -> list[str]:
    """Return the events of a subscription as Infobip shows it."""
    found = (body or {}).get("events")
    return [str(one) for one in found] if isinstance(found, list) else []


def digest(text: str) -> str:
    """Return what tells one URL from another and shows nothing of the token in it."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _members(body: Body | None, name: str) -> Body:
    found = (body or {}).get(name)
    return found if isinstance(found, dict) else {}


def _slug(account: str) -> str:
    if _PLAIN.fullmatch(account):
        return account
    # Two names that differ in such a letter only must not meet.
    return f"{_OTHER.sub('-', account).strip('-')}-{blake2b(account.encode(), digest_size=3).hexdigest()}"
