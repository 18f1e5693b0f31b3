"""Where a report goes: the send's own URL, else the subscription's profile, else the simulator's `notify_url`."""

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from infobip.simulator.bodies import content_type_of
from infobip.simulator.shapes import Report
from infobip.simulator.subscriptions import Subscriptions


@dataclass(frozen=True)
class Target:
    """One place, and how reports of one shape are posted there. Equal targets share requests."""

    url: str
    channel: str
    look: str
    content_type: str
    bucket: int
    timeout: float
    profile: Mapping[str, Any] = field(default_factory=dict, compare=False)
    profile_key: str = ""

    @property
    def security(self) -> Mapping[str, Any] | None:
        """The security setting of the profile, if there is one."""
        return self.profile.get("security")

    @property
    def headers(self) -> Mapping[str, str]:
        """The profile's own headers."""
        headers: Mapping[str, str] = self.profile.get("headers") or {}
        return headers


class Targets:
    """Finds the target of a report."""

    def __init__(self, subscriptions: Subscriptions, notify_url: str) -> None:
        self._subscriptions = subscriptions
        self.notify_url = notify_url

    def of(self, report: Report, bucket: int, timeout: float) -> Target | None:
        """Return where a report goes, or `None` where nobody wants it posted."""
        message = report.message
        webhook, look = message.submission.webhook, "seen" if report.seen else message.endpoint.reports
        if not webhook.notify:
            return None
        url = webhook.seen_url if report.seen else webhook.url
        if url:
            content_type = content_type_of(look, webhook.content_type)
            return Target(url, message.channel, look, content_type, bucket, timeout)
        profile = self._subscriptions.profile_for(message, "SEEN" if report.seen else "DELIVERY")
        if profile is not None:
            hook = profile["webhook"]
            wished = webhook.content_type or hook.get("contentType", "")
            return Target(
                hook["notifyUrl"],
                message.channel,
                look,
                content_type_of(look, wished),
                profile.get("maxBucketSize", bucket),
                profile.get("readTimeout", timeout * 1000) / 1000,
                profile,
                json.dumps(profile, sort_keys=True),
            )
        if not self.notify_url:
            return None
        url = self.notify_url.replace("{channel}", message.channel)
        return Target(url, message.channel, look, content_type_of(look, webhook.content_type), bucket, timeout)


class Reach:
    """Which hosts may be posted to. A made-up report must not end up at somebody's real endpoint by accident."""

    def __init__(self, allowed: tuple[str, ...], *, everywhere: bool) -> None:
        self._allowed = {urlsplit(url).hostname or url for url in allowed if url}
        self._everywhere = everywhere
        self._known: dict[str, bool] = {}

    def allows(self, url: str) -> bool:
        """Whether the URL's host is named by the operator, or lies on this host or in a private network."""
        host = urlsplit(url).hostname or ""
        if self._everywhere or host in self._allowed:
            return True
        if host not in self._known:
            try:
                found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                return True  # it leads nowhere now, and the attempt will say so
            self._known[host] = not any(_is_public(str(address[0])) for _, _, _, _, address in found)
        return self._known[host]


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global
