"""Callbacks as Infobip posts them for SMS, with values of our own; only ids and recipients differ from one to the next.

Most of a body is made once: the generator shares the machine with what it measures and has to cost little.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

# (weight, status, error), each (group id, group, id, name): about 8 % of all messages fail.
_OUTCOMES: Final = (
    (920, (3, "DELIVERED", 5, "DELIVERED_TO_HANDSET"), (0, "OK", 0, "NO_ERROR")),
    (28, (2, "UNDELIVERABLE", 9, "UNDELIVERABLE_NOT_DELIVERED"), (1, "HANDSET_ERRORS", 27, "EC_ABSENT_SUBSCRIBER")),
    (18, (2, "UNDELIVERABLE", 9, "UNDELIVERABLE_NOT_DELIVERED"), (1, "HANDSET_ERRORS", 1, "EC_UNKNOWN_SUBSCRIBER")),
    (10, (4, "EXPIRED", 15, "EXPIRED_EXPIRED"), (1, "HANDSET_ERRORS", 27, "EC_ABSENT_SUBSCRIBER")),
    (9, (2, "UNDELIVERABLE", 9, "UNDELIVERABLE_NOT_DELIVERED"), (1, "HANDSET_ERRORS", 32, "EC_SM_DELIVERY_FAILURE")),
    (8, (2, "UNDELIVERABLE", 4, "UNDELIVERABLE_REJECTED_OPERATOR"), (1, "HANDSET_ERRORS", 34, "EC_SYSTEM_FAILURE")),
    (4, (2, "UNDELIVERABLE", 9, "UNDELIVERABLE_NOT_DELIVERED"), (1, "HANDSET_ERRORS", 13, "EC_CALL_BARRED")),
    (3, (5, "REJECTED", 12, "REJECTED_NOT_ENOUGH_CREDITS"), (0, "OK", 0, "NO_ERROR")),
)
_PERMANENT: Final = frozenset({1})
_NETWORKS: Final = ("23410", "26201", "20810", "22201")
_SENDERS: Final = ("Fernhill", "Oakdale", "20456")
_TEMPLATES: Final = 16
# Odd, so that counting on in 64 bits meets every value once: ids without repetition that look like random ones.
_STEP: Final = 0x9E3779B97F4A7C15
_ID, _TO = "ID-SLOT", "TO-SLOT"


@dataclass(frozen=True, slots=True)
class Bodies:
    """Bodies of `size` reports each. `run` keeps the ids of one generator apart from another's."""

    size: int
    run: int
    templates: tuple[bytes, ...]

    def body(self, number: int) -> bytes:
        """Return the callback `number` of this run."""
        start = (self.run << 40) + number * self.size
        slots: list[int] = []
        for report in range(start, start + self.size):
            value = report * _STEP & 0xFFFFFFFFFFFFFFFF
            slots += (value, value % 1_000_000_000)
        return self.templates[number % _TEMPLATES] % tuple(slots)


def make_bodies(size: int, run: int) -> Bodies:
    """Return bodies of `size` reports; the same run gives the same bodies, dates aside."""
    random_ = random.Random(run)
    return Bodies(size, run, tuple(_template(size, random_) for _ in range(_TEMPLATES)))


def _template(size: int, random_: random.Random) -> bytes:
    now = datetime.now(UTC)
    text = json.dumps({"results": [_item(now, random_) for _ in range(size)]}, separators=(",", ":"))
    text = text.replace("%", "%%").replace(_ID, "%016x").replace(_TO, "9997%09d")
    return text.encode("ascii")


def _item(now: datetime, random_: random.Random) -> Mapping[str, Any]:
    weights = [outcome[0] for outcome in _OUTCOMES]
    _, status, error = random_.choices(_OUTCOMES, weights)[0]
    done = now - timedelta(milliseconds=random_.randrange(200, 20_000))
    return {
        "bulkId": f"bench-bulk-{random_.randrange(100)}",
        "price": {"pricePerMessage": 0.0421, "currency": "EUR"},
        "status": {**_code(status), "description": "What became of the message"},
        "error": {**_code(error), "description": "Why", "permanent": error[2] in _PERMANENT},
        "messageId": f"bench-{_ID}",
        "to": _TO,
        "sender": random_.choice(_SENDERS),
        "sentAt": _date(done - timedelta(seconds=3)),
        "doneAt": _date(done),
        "messageCount": 1,
        "mccMnc": random_.choice(_NETWORKS),
        "callbackData": "order=5512&purpose=transactional",
        "platform": {"entityId": "shop", "applicationId": "orders"},
        "campaignReferenceId": "bench-letters",
    }


def _code(values: tuple[int, str, int, str]) -> dict[str, Any]:
    return dict(zip(("groupId", "groupName", "id", "name"), values, strict=True))


def _date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
