"""The Subscriptions Management API: who gets reports of which channel, how, and with what security.

Sources: OUTBOUND facts 5, INBOUND facts 3, 5.3 and 5.6. Not documented, so a choice of ours: the conflict that gives
409, the envelope of the list, and that secrets are not shown again.
"""

import threading
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from infobip.simulator.book import Message
from infobip.simulator.errors import Refusal
from infobip.simulator.subscription_schema import ProfileSchema, SecuritySchema, SubscriptionSchema, checked

# Infobip's channel names -> our slugs of what is sent on them.
CHANNELS: Final[Mapping[str, str]] = {
    "AGENT_OS": "",
    "APPLE_MESSAGES_FOR_BUSINESS": "apple",
    "BLOCKLIST": "blocklist",
    "CUSTOMER_ENGAGEMENT": "",
    "EMAIL": "email",
    "FACEBOOK": "messenger",
    "KAKAO_ALIM": "kakao",
    "KAKAO_BRAND_MESSAGE": "",
    "LINE": "line",
    "MMS": "mms",
    "MOBILE_IDENTITY": "mobile-identity",
    "MOBILE_PUSH": "push",
    "NUMBER_LOOKUP": "number-lookup",
    "OPEN_CHANNEL": "open-channel",
    "RCS": "rcs",
    "REGISTRATION": "",
    "SMS": "sms",
    "VIBER": "viber",
    "VOICE_VIDEO": "voice",
    "WEB_PUSH": "web-push",
    "WHATSAPP": "whatsapp",
    "ZALO": "zalo",
}
Values = dict[str, Any]


class Subscriptions:
    """Subscriptions, profiles and security settings. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.subscriptions: dict[tuple[str, str], Values] = {}
        self.profiles: dict[str, Values] = {}
        self.securities: dict[str, Values] = {}

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            for kept in (self.subscriptions, self.profiles, self.securities):
                kept.clear()

    def create_security(self, body: Any) -> str:
        """Keep a security setting; return its path."""
        found = checked(SecuritySchema(), body)
        with self._lock:
            _free(self.securities, found["authId"])
            self.securities[found["authId"]] = found
        return f"/subscriptions/1/security/{quote(found['authId'])}"

    def create_profile(self, body: Any) -> str:
        """Keep a profile, and the security setting inside it; return its path."""
        found = checked(ProfileSchema(), body)
        with self._lock:
            _free(self.profiles, found["profileId"])
            self._keep_profile(found)
        return f"/subscriptions/1/profiles/{quote(found['profileId'])}"

    def create(self, channel: str, body: Any) -> str:
        """Keep a subscription, with the profile inside it unless only its id is given; return its path."""
        _known(channel)
        found = checked(SubscriptionSchema(), body)
        with self._lock:
            if any(name == found["subscriptionId"] for _, name in self.subscriptions):
                raise Refusal(409, "A subscription of this id is there already.")
            self._refuse_overlap(channel, found)
            self._keep_inner_profile(found)
            self.subscriptions[channel, found["subscriptionId"]] = found
        return f"/subscriptions/1/subscription/{channel}/{quote(found['subscriptionId'])}"

    def update(self, channel: str, name: str, body: Any) -> None:
        """Replace a subscription; its id stays."""
        _known(channel)
        with self._lock:
            _there(self.subscriptions, (channel, name))
            found = checked(SubscriptionSchema(), {**_object(body), "subscriptionId": name})
            self._refuse_overlap(channel, found)
            self._keep_inner_profile(found, replace=True)
            self.subscriptions[channel, name] = found

    def update_profile(self, name: str, body: Any) -> None:
        """Replace a profile; its id stays."""
        with self._lock:
            _there(self.profiles, name)
            self._keep_profile(checked(ProfileSchema(), {**_object(body), "profileId": name}), replace=True)

    def update_security(self, name: str, body: Any) -> None:
        """Replace a security setting; its id stays."""
        with self._lock:
            _there(self.securities, name)
            self.securities[name] = checked(SecuritySchema(), {**_object(body), "authId": name})

    def delete(self, channel: str, name: str) -> None:
        """Remove a subscription; its profile stays."""
        _known(channel)
        with self._lock:
            _there(self.subscriptions, (channel, name))
            del self.subscriptions[channel, name]

    def delete_profile(self, name: str) -> None:
        """Remove a profile that no subscription uses."""
        with self._lock:
            _there(self.profiles, name)
            if any(one["profile"]["profileId"] == name for one in self.subscriptions.values()):
                raise Refusal(409, "A subscription uses this profile: delete that first.")
            del self.profiles[name]

    def delete_security(self, name: str) -> None:
        """Remove a security setting that no profile uses."""
        with self._lock:
            _there(self.securities, name)
            if any((one.get("security") or {}).get("authId") == name for one in self.profiles.values()):
                raise Refusal(409, "A profile uses this security setting: delete that first.")
            del self.securities[name]

    def shown(self, channel: str, name: str) -> Values:
        """Return a subscription with its profile, without secrets."""
        _known(channel)
        with self._lock:
            _there(self.subscriptions, (channel, name))
            found = self.subscriptions[channel, name]
            return {**found, "profile": self.shown_profile(found["profile"]["profileId"])}

    def listed(self, channel: str) -> list[Values]:
        """Return all subscriptions of a channel."""
        _known(channel)
        with self._lock:
            return [self.shown(channel, name) for kind, name in self.subscriptions if kind == channel]

    def shown_profile(self, name: str) -> Values:
        """Return a profile without secrets."""
        with self._lock:
            _there(self.profiles, name)
            found = dict(self.profiles[name])
            if found.get("security"):
                found["security"] = self.shown_security(found["security"]["authId"])
            return found

    def shown_security(self, name: str) -> Values:
        """Return a security setting without its secrets."""
        with self._lock:
            _there(self.securities, name)
            return {key: value for key, value in self.securities[name].items() if key != "credentials"}

    def profile_for(self, message: Message, event: str) -> Values | None:
        """Return the profile that wants an event of a message, with its security setting in full."""
        one = message.submission
        with self._lock:
            for (channel, _), found in self.subscriptions.items():
                slug = CHANNELS[channel]
                if slug and slug in (message.channel, one.leg) and event in found["events"] and _meets(found, message):
                    profile = dict(self.profiles[found["profile"]["profileId"]])
                    if profile.get("security"):
                        profile["security"] = self.securities[profile["security"]["authId"]]
                    return profile
        return None

    def blocklist_profile(self, event: str) -> Values | None:
        """Return the profile that wants BLOCK or UNBLOCK events."""
        with self._lock:
            for (channel, _), found in self.subscriptions.items():
                if channel == "BLOCKLIST" and event in found["events"]:
                    profile = dict(self.profiles[found["profile"]["profileId"]])
                    if profile.get("security"):
                        profile["security"] = self.securities[profile["security"]["authId"]]
                    return profile
        return None

    def _keep_inner_profile(self, found: Values, *, replace: bool = False) -> None:
        profile = found["profile"]
        if set(profile) == {"profileId"}:
            _there(self.profiles, profile["profileId"])
        else:
            full = checked(ProfileSchema(), profile, "profile.")
            if not replace:
                _free(self.profiles, full["profileId"])
            self._keep_profile(full, replace=replace)
        found["profile"] = {"profileId": profile["profileId"]}

    def _keep_profile(self, profile: Values, *, replace: bool = False) -> None:
        security = profile.get("security")
        if security is not None:
            if set(security) == {"authId"}:
                _there(self.securities, security["authId"])
            else:
                full = checked(SecuritySchema(), security, "security.")
                if not replace:
                    _free(self.securities, full["authId"])
                self.securities[full["authId"]] = full
            profile["security"] = {"authId": security["authId"]}
        self.profiles[profile["profileId"]] = profile

    def _refuse_overlap(self, channel: str, new: Values) -> None:
        for (kind, name), there in self.subscriptions.items():
            if kind == channel and name != new["subscriptionId"] and _overlap(there, new):
                raise Refusal(409, "Another subscription gets the same events already.")


def _overlap(one: Values, other: Values) -> bool:
    def shared(name: str) -> bool:
        first, second = one.get(name) or [], other.get(name) or []
        return first == second == [] or any(value in second for value in first)

    return bool(set(one["events"]) & set(other["events"])) and shared("criteria") and shared("resources")


def _meets(found: Values, message: Message) -> bool:
    one = message.submission
    criteria, resources = found.get("criteria") or [], found.get("resources") or []
    held = {"applicationId": one.application, "entityId": one.entity}
    return (not resources or one.sender in resources) and (
        not criteria or any(all(held.get(name) == value for name, value in wanted.items()) for wanted in criteria)
    )


def _object(body: Any) -> Values:
    if not isinstance(body, dict):
        raise Refusal(400, faults={"request": "must be an object"})
    return body


def _known(channel: str) -> None:
    if channel not in CHANNELS:
        raise Refusal(400, faults={"channel": "is not a channel of subscriptions"})


def _free(kept: Mapping[Any, Values], name: str) -> None:
    if name in kept:
        raise Refusal(409, "Something of this id is there already.")


def _there(kept: Mapping[Any, Values], name: Any) -> None:
    if name not in kept:
        raise Refusal(404, "There is nothing of this id.")
