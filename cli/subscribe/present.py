"""What stands at Infobip already, as far as it concerns one account and some channels."""

from dataclasses import dataclass, field
from typing import Any, Final

from cli.subscribe.wishes import Body, Names, events_of
from infobip.outbound.errors import SubscriptionsRefused
from infobip.outbound.subscription_channels import SubscribedChannel
from infobip.outbound.subscriptions import PROFILE, SECURITY, SUBSCRIPTION, SubscriptionsApi

_NARROWS: Final = ("criteria", "resources", "users")


@dataclass(frozen=True, slots=True)
class Rival:
    """A subscription to the same channel that is not ours."""

    name: str
    title: str
    events: tuple[str, ...]
    url: str
    narrowed: bool
    """Whether it is about some senders, applications or users only."""


@dataclass(frozen=True, slots=True)
class ThereOnChannel:
    """One channel at Infobip."""

    profile: Body | None
    subscription: Body | None
    rivals: tuple[Rival, ...] = ()
    untold: str = ""
    """Why nobody knows of others, or empty."""


@dataclass(frozen=True, slots=True)
class Present:
    """One account at Infobip."""

    security: Body | None
    channels: dict[str, ThereOnChannel] = field(default_factory=dict)


def look(api: SubscriptionsApi, names: Names, channels: list[SubscribedChannel]) -> Present:
    """Read all of it. Raises `SubscriptionsRefused`; a list that cannot be read costs only what it would tell."""
    return Present(
        api.read(SECURITY, names.security),
        {channel.slug: _channel(api, names, channel) for channel in channels},
    )


def _channel(api: SubscriptionsApi, names: Names, channel: SubscribedChannel) -> ThereOnChannel:
    own = names.channel(channel.slug)
    profile = api.read(PROFILE, own)
    subscription = api.read(SUBSCRIPTION, own, channel.name)
    try:
        others = [one for one in api.listed(channel.name) if one.get("subscriptionId") != own]
    except SubscriptionsRefused as error:
        if error.http in (401, 403):
            raise
        return ThereOnChannel(profile, subscription, untold=str(error))
    return ThereOnChannel(profile, subscription, tuple(_rival(api, one) for one in others))


def _rival(api: SubscriptionsApi, one: Body) -> Rival:
    return Rival(
        str(one.get("subscriptionId") or ""),
        str(one.get("name") or ""),
        tuple(events_of(one)),
        _url(api, one),
        any(one.get(name) for name in _NARROWS),
    )


def _url(api: SubscriptionsApi, subscription: Body) -> str:
    """Return the host and the first part of the path that another subscription posts to: the rest may be a secret."""
    profile = subscription.get("profile")
    found = profile if isinstance(profile, dict) else {}
    if "webhook" not in found and found.get("profileId"):
        try:
            found = api.read(PROFILE, str(found["profileId"])) or {}
        except SubscriptionsRefused:
            return ""
    return without_secrets(notify_url(found))


def notify_url(profile: Body | None) -> str:
    """Return a profile's URL, or nothing."""
    webhook: Any = (profile or {}).get("webhook")
    return str(webhook.get("notifyUrl") or "") if isinstance(webhook, dict) else ""


def without_secrets(url: str) -> str:
    """Return a URL as far as it tells whose it is: without user, query, and what follows the first part of the path."""
    scheme, sign, rest = url.partition("://")
    if not sign:
        return ""
    place = rest.partition("?")[0].split("/")
    shown = "/".join((place[0].rpartition("@")[2], *place[1:2]))
    return f"{scheme}://{shown}" + ("/..." if len(place) > 2 else "")
