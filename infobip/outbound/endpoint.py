"""What there is to know of one send endpoint."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from infobip.outbound import shapes
from infobip.outbound.shapes import Shape, Spread


class Answer(StrEnum):
    """How an endpoint answers."""

    LIST = "list"
    """`{"bulkId": ..., "messages": [...]}`"""
    FLAT = "flat"
    """One message, without a list around it."""


class Problem(StrEnum):
    """In which shape an endpoint documents its errors. Any shape is read from any endpoint."""

    NEW = "new"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` within `seconds`, for the whole account."""

    requests: int
    seconds: int = 1


_LOGS_RATE: Final = Rate(120, 60)
LONGEST_ID: Final = 200
"""Characters of a message id (OUTBOUND 0.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One send endpoint. `path` may hold `{kind}`, which stands for one or two parts in small letters."""

    name: str
    path: str
    channel: str
    """Our slug; `messages-api` where each message names its own."""
    shape: Shape = shapes.UNIFIED
    method: str = "POST"
    answer: Answer = Answer.LIST
    answers_to: str = "destination"
    """What an answer calls the recipient."""
    problem: Problem = Problem.NEW
    sets_ids: bool = True
    """Whether a request may bring its own message id. Without one, a lost answer can never be cleared up."""
    clips_ids: bool = False
    """Whether an id that is too long is cut, not refused."""
    logs: str = ""
    """Path of the logs that show these messages, or empty: then an unknown outcome stays unknown."""
    logs_rate: Rate = _LOGS_RATE
    rate: Rate | None = None
    """None: none is stated."""
    callback_data_max: int = 4000
    recipients_max: int | None = None
    """Per request, where stated."""
    unit: str = "MINUTES"
    """Unit of a validity that names none."""
    least_validity: timedelta = timedelta(seconds=1)

    @property
    def is_json(self) -> bool:
        """Whether requests are JSON, and not a form."""
        return self.shape.spread is not Spread.PARTS
