"""Infobip's own channel names, as reports and events carry them, and the slug that each has with us.

Sources: Infobip OpenAPI 3.210.0, the channel enums of Messages API, OMNI failover, blocklist, subscriptions and the
`integrationType` of inbound messages.
"""

from typing import Final

from codes.channels import AUTO, CHANNELS, UNKNOWN

_NAMES: Final[dict[str, str]] = {
    "APPLE_BC": "apple",
    "APPLE_MB": "apple",
    "APPLE_MESSAGES_FOR_BUSINESS": "apple",
    "APPLE_MFB": "apple",
    "CALL": "calls",
    "FACEBOOK": "messenger",
    "FACEBOOK_MESSENGER": "messenger",
    "INSTAGRAM_DM": "instagram",
    "KAKAO_ALIM": "kakao",
    "KAKAO_BRAND": "kakao",
    "KAKAO_BRAND_MESSAGE": "kakao",
    "KAKAO_CHINGU": "kakao",
    "KAKAO_SANGDAM": "kakao",
    "LINE_OA": "line",
    "LINE_ON": "line",
    "LIVECHAT": "live-chat",
    "MOBILE_APP_MESSAGING": "push",
    "MOBILE_PUSH": "push",
    "NEW_PUSH_NOTIF": "push",
    "VIBER_BM": "viber",
    "VIBER_BUSINESS_MESSAGES": "viber",
    "VOICE_OUTBOUND_TTS": "voice",
    "VOICE_VIDEO": "calls",
    "WEBPUSH": "web-push",
    "WEBRTC": "calls",
    "ZALO_NOTIFICATION_SERVICE": "zalo",
    "ZALO_ZNS": "zalo",
}

_UNNAMED: Final = frozenset({AUTO, UNKNOWN})
_SLUGS: Final[dict[str, str]] = {slug.upper().replace("-", "_"): slug for slug in CHANNELS - _UNNAMED} | _NAMES

# URLs that name a product which sends on other channels: what an item proves about itself says more.
_UMBRELLAS: Final = frozenset({"omni", "messages-api", "flow", "blocklist"})


def slug(name: str) -> str:
    """Return our slug for Infobip's channel `name`, or `unknown`."""
    known = _SLUGS.get(name)
    if known is not None:
        return known
    return _SLUGS.get(name.strip().upper().replace("-", "_").replace(" ", "_"), UNKNOWN)


def choose(own: str, url: str, proven: str) -> str:
    """Return an item's channel: its own, else the URL's, else what its family proves, else `unknown`.

    An own name that we don't know gives `unknown`, not the URL's: the item has said that it is something else.
    """
    if own:
        return slug(own)
    if proven and (url in _UMBRELLAS or url in _UNNAMED):
        return proven
    return UNKNOWN if url == AUTO else url
