"""Channels that this service has a name for, and the code families each one's reports draw from."""

from typing import Final

UNKNOWN: Final = "unknown"
AUTO: Final = "auto"

_CHAT = ("chat",)
_VOICE = ("voice and webrtc", "voice deprecated")

# channel -> the families that belong to it: (statuses, errors). `general` follows for every channel, then any other
# family where id and name agree, because an RCS report may carry a mobile network's code.
FAMILIES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "sms": ((), ("dlt",)),
    "mms": (("mms",), ("mms",)),
    "email": (("email",), ("email",)),
    "voice": (("voice",), _VOICE),
    "calls": (("voice",), _VOICE),
    "whatsapp": ((), _CHAT),
    "viber": ((), _CHAT),
    "viber-bot": ((), _CHAT),
    "rcs": ((), _CHAT),
    "messenger": ((), _CHAT),
    "instagram": ((), _CHAT),
    "line": ((), _CHAT),
    "kakao": ((), _CHAT),
    "zalo": ((), _CHAT),
    "apple": ((), _CHAT),
    "tiktok": ((), _CHAT),
    "telegram": ((), _CHAT),
    "open-channel": ((), _CHAT),
    "push": (("push",), ("push",)),
    "web-push": (("push",), ("push",)),
    "messages-api": ((), ()),
    "omni": ((), ()),
    "number-lookup": ((), ()),
    "mobile-identity": ((), ("mobile identity",)),
    "flow": (("moments",), ("moments",)),
    "live-chat": ((), ("live chat",)),
    "people": ((), ("people",)),
    "blocklist": ((), ()),
    AUTO: ((), ()),
    UNKNOWN: ((), ()),
}

CHANNELS: Final = frozenset(FAMILIES)
