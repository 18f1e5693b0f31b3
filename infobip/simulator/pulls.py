"""Reports that wait to be fetched. Each is given out once (OUTBOUND facts 3)."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from infobip.simulator.errors import Refusal
from infobip.simulator.reading import Faults
from infobip.simulator.shapes import LOOKS, Report, unified

WINDOW: Final = 48 * 3600.0
LIMIT: Final = 50
LIMIT_MOST: Final = 1000

# Path -> our slug of the channel, and the shape. E-mail v4 gives the unified one, though it posts the older
# (INBOUND facts 7.3); SMS v1 the older one for all SMS.
PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "/sms/3/reports": ("sms", "unified"),
    "/sms/1/reports": ("sms", "sms-legacy"),
    "/email/4/reports": ("email", "unified"),
    "/email/1/reports": ("email", "email"),
    "/voice/1/reports": ("voice", "voice"),
    "/mms/2/reports": ("mms", "unified"),
    "/viber/2/reports": ("viber", "unified"),
    "/rcs/2/reports": ("rcs", "rcs"),
    "/push/3/reports": ("push", "unified"),
    "/push/1/reports": ("push", "push-old"),
    "/omni/1/reports": ("omni", "omni"),
    "/line/1/reports": ("line", "unified"),
    "/messenger/1/reports": ("messenger", "unified"),
    "/instagram/1/reports": ("instagram", "unified"),
    "/apple-mfb/1/reports": ("apple", "unified"),
    "/kakao/1/reports": ("kakao", "unified"),
    "/tiktok/1/reports": ("tiktok", "unified"),
}
# Infobip's channel names in the one pull for all channels.
MESSAGES_API: Final[Mapping[str, str]] = {
    "APPLE_MB": "apple",
    "INSTAGRAM_DM": "instagram",
    "LINE_ON": "line",
    "MESSENGER": "messenger",
    "MMS": "mms",
    "RCS": "rcs",
    "SMS": "sms",
    "VIBER_BM": "viber",
    "VIBER_BOT": "viber-bot",
    "WHATSAPP": "whatsapp",
}


def _push_old(report: Report) -> dict[str, Any]:
    return {**unified(report), "channel": "PUSH"}


_MAKERS: Final[Mapping[str, Callable[[Report], dict[str, Any]]]] = {
    **{name: look.make for name, look in LOOKS.items()},
    "push-old": _push_old,
}


class Pulls:
    """Reports that nobody has fetched yet. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, Report]] = []

    def add(self, now: float, report: Report) -> None:
        """Keep a report of the simulated second `now`."""
        with self._lock:
            self._waiting.append((now, report))

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, channel: str, shape: str, query: Mapping[str, str], now: float) -> dict[str, Any]:
        """Give out what is asked for, oldest first, once and for all. Raises `Refusal`."""
        limit = _limit(query)
        with self._lock:
            self._waiting = [(at, report) for at, report in self._waiting if now - at <= WINDOW]
            given: list[tuple[float, Report]] = []
            kept: list[tuple[float, Report]] = []
            for at, report in self._waiting:
                fits = len(given) < limit and channel in _channels(report) and _is_asked(report, query)
                (given if fits else kept).append((at, report))
            self._waiting = kept
        return {"results": [_MAKERS[shape](report) for _, report in given]}

    def take_for_messages_api(self, query: Mapping[str, str], now: float) -> dict[str, Any]:
        """Give out the reports of a channel in the shape of Messages API. Raises `Refusal`."""
        name = query.get("channel", "")
        if name not in MESSAGES_API:
            raise Refusal(400, faults={"channel": f"must be one of {', '.join(MESSAGES_API)}"})
        found = self.take(MESSAGES_API[name], "unified", {**query, "channel": ""}, now)
        return {"results": [_renamed(item, name) for item in found["results"]]}


def _renamed(item: dict[str, Any], channel: str) -> dict[str, Any]:
    to, _ = item.pop("to"), item.pop("price", None)
    network = {"mccMnc": int(item["mccMnc"])} if "mccMnc" in item else {}
    return {"event": "DELIVERY", "channel": channel, "destination": to, **item, **network}


def _channels(report: Report) -> tuple[str, ...]:
    return report.message.channel, report.message.submission.leg


def _limit(query: Mapping[str, str]) -> int:
    faults: Faults = {}
    value = query.get("limit", str(LIMIT))
    if not value.isdecimal() or not 1 <= int(value) <= LIMIT_MOST:
        faults["limit"] = f"must be between 1 and {LIMIT_MOST}"
        raise Refusal(400, faults=faults)
    return int(value)


def _is_asked(report: Report, query: Mapping[str, str]) -> bool:
    message = report.message
    held = {
        "bulkId": message.bulk_id,
        "messageId": message.id,
        "entityId": message.submission.entity,
        "applicationId": message.submission.application,
        "campaignReferenceId": message.submission.campaign,
    }
    return all(held[name] in query[name].split(",") for name in held if query.get(name))
