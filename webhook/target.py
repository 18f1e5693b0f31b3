"""What a callback's URL says: `/webhook[/CHANNEL][/TOKEN]` or `/webhook/t/TOKEN`, and `?token=`."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from werkzeug.datastructures import MultiDict

from codes.channels import AUTO, CHANNELS, UNKNOWN

ANY_CHANNEL: Final = "t"
"""Stands for the channel where only a token follows."""

# Infobip's own words and common spellings -> our slug. Compared in small letters with `-` between words.
ALIASES: Final[dict[str, str]] = {
    "any": AUTO,
    "apple-mfb": "apple",
    "apple-messages-for-business": "apple",
    "call": "calls",
    "e-mail": "email",
    "mail": "email",
    "facebook": "messenger",
    "facebook-messenger": "messenger",
    "instagram-dm": "instagram",
    "kakao-alim": "kakao",
    "kakao-brand": "kakao",
    "kakao-chingu": "kakao",
    "kakao-sangdam": "kakao",
    "line-oa": "line",
    "livechat": "live-chat",
    "lookup": "number-lookup",
    "hlr": "number-lookup",
    "message-api": "messages-api",
    "messages": "messages-api",
    "mobile-push": "push",
    "moments": "flow",
    "openchannel": "open-channel",
    "telephony": "voice",
    "tts": "voice",
    "viber-bm": "viber",
    "viber-business": "viber",
    "viber-business-messages": "viber",
    "webpush": "web-push",
    "whats-app": "whatsapp",
    "whatsapp-business": "whatsapp",
    "zalo-zns": "zalo",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The URL of one callback, read. `mistyped` says that it names a channel that there is not."""

    channel: str
    token: str = ""
    mistyped: bool = False
    meant: str = ""
    """The channel that a mistyped name comes close to, or empty."""


def read_target(rest: str, query: MultiDict[str, str] | None = None) -> Target:
    """Return what the path behind `/webhook` and the query say. Any path is accepted: a wrong one must lose nothing."""
    parts = [part for part in rest.split("/") if part]
    asked = query.get("token", "") if query else ""
    if not parts:
        return Target(AUTO, asked)
    token = parts[1] if len(parts) > 1 else asked
    if parts[0].lower() == ANY_CHANNEL:
        return Target(AUTO, token)
    channel, meant = _channel(parts[0])
    return Target(channel, token, mistyped=channel == UNKNOWN, meant=meant)


@lru_cache(maxsize=256)
def _channel(name: str) -> tuple[str, str]:
    slug = name.strip().lower().replace("_", "-").replace(" ", "-")
    channel = slug if slug in CHANNELS else ALIASES.get(slug, UNKNOWN)
    if channel != UNKNOWN or len(slug) > 32:
        return channel, ""
    # Only a near name of ours is ever shown: what stands there may be a token that was put in the wrong place.
    near = get_close_matches(slug, [*CHANNELS, *ALIASES], n=1, cutoff=0.7)
    return UNKNOWN, ALIASES.get(near[0], near[0]) if near else ""
