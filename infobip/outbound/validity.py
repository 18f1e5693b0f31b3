"""How long a message may take: the steps that Infobip goes through, read and shortened.

Sources: OUTBOUND 1.1. A validity above 48 h counts as 48 h, and so does none; the unit is minutes unless named (push:
hours); SMS v2 and voice have whole minutes; OMNI has one for each channel's body.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from infobip.inbound.channels import slug
from infobip.outbound.endpoint import Endpoint
from infobip.outbound.errors import TooLate
from infobip.outbound.shapes import Bound
from infobip.outbound.wire import Number, Path, at, items, members, put, text, whole

LONGEST: Final = timedelta(hours=48)
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_UNITS: Final = {
    "NANOSECONDS": timedelta(microseconds=1) / 1000,
    "MICROSECONDS": timedelta(microseconds=1),
    "MILLISECONDS": timedelta(milliseconds=1),
    "SECONDS": _SECOND,
    "MINUTES": _MINUTE,
    "HOURS": timedelta(hours=1),
    "DAYS": timedelta(days=1),
}
# A count of days that fits a timedelta whatever the unit; beyond it, 48 h are long over.
_LARGEST: Final = 10**8

BODIES: Final = {
    "sms": "sms",
    "whatsApp": "whatsapp",
    "viber": "viber",
    "voice": "voice",
    "email": "email",
    "push": "push",
    "line": "line",
    "kakaoChingu": "kakao",
    "kakaoAlim": "kakao",
    "vKontakte": "unknown",
}
"""Members of an OMNI request that hold one channel's message each."""

_FAILOVERS: Final[tuple[tuple[Path, str], ...]] = (
    (("options", "smsFailover"), "sms"),
    (("options", "mmsFailover"), "mms"),
    (("smsFailover",), "sms"),
)


class Form(StrEnum):
    """How one step's validity is written."""

    PERIOD = "period"
    MINUTES = "minutes"
    BODY = "body"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """One channel that a message is tried on. `path` leads to the validity, for BODY to the body that has it."""

    channel: str
    form: Form
    path: Path = ()


def steps(endpoint: Endpoint, channel: str, message: dict[str, Any]) -> list[Step]:
    """Return the steps in Infobip's order; for OMNI in the order written, since its scenario knows theirs."""
    if endpoint.shape.bound is Bound.BODIES:
        return [Step(BODIES[name], Form.BODY, (name,)) for name in message if name in BODIES]
    forms = {Bound.PERIOD: Form.PERIOD, Bound.MINUTES: Form.MINUTES}
    form = forms.get(endpoint.shape.bound, Form.NONE)
    found = [Step(channel, form, endpoint.shape.validity)]
    within = Form.PERIOD if form is Form.PERIOD else Form.NONE
    for path, other in _FAILOVERS:
        if isinstance(at(message, path), dict):
            found.append(Step(other, within, (*path, "validityPeriod")))
    for number, one in enumerate(items(message.get("failover"))):
        found.append(Step(slug(text(members(one).get("channel"))), within, ("failover", number, "validityPeriod")))
    return found


def read(step: Step, message: dict[str, Any], unit: str) -> timedelta | None:
    """Return a step's validity as Infobip takes it, or None where there is none that can be read."""
    if step.form is Form.PERIOD:
        return _span(at(message, (*step.path, "amount")), at(message, (*step.path, "timeUnit")), unit)
    if step.form is Form.MINUTES:
        return _span(at(message, step.path), None, "MINUTES")
    if step.form is Form.BODY:
        body = members(at(message, step.path))
        return _span(body.get("validityPeriod"), body.get("validityPeriodTimeUnit"), "MINUTES")
    return None


def write(step: Step, message: dict[str, Any], span: timedelta) -> dict[str, Any]:
    """Return the message with this validity, rounded down to what can be written."""
    changed: dict[str, Any]
    if step.form is Form.MINUTES:
        changed = put(message, step.path, Number.of(span // _MINUTE))
        return changed
    seconds = Number.of(span // _SECOND)
    if step.form is Form.BODY:
        changed = put(
            put(message, (*step.path, "validityPeriod"), seconds), (*step.path, "validityPeriodTimeUnit"), "SECONDS"
        )
    else:
        changed = put(message, step.path, {"amount": seconds, "timeUnit": "SECONDS"})
    return changed


def shorten(
    endpoint: Endpoint, channel: str, message: dict[str, Any], left: timedelta
) -> tuple[dict[str, Any], timedelta | None]:
    """Return the message such that all its steps end within `left`, and how long they take at most.

    That is None where Infobip lets a step take as long as it likes. The longest steps give first: a minute for one
    channel before another stays a minute. Raises `TooLate`.
    """
    all_steps = steps(endpoint, channel, message)
    if not all_steps or any(step.form is Form.NONE for step in all_steps):
        return message, None
    wanted = [read(step, message, endpoint.unit) or LONGEST for step in all_steps]
    if sum(wanted, timedelta()) <= left:
        return message, sum(wanted, timedelta())
    level = _level(wanted, left)
    for step, span in zip(all_steps, wanted, strict=True):
        if span > level:
            message = write(step, message, max(_rounded(step, level), _least(endpoint, step)))
    ends = sum((read(step, message, endpoint.unit) or LONGEST for step in all_steps), timedelta())
    if ends > left:
        raise TooLate("less time is left than the shortest validity that Infobip takes")
    return message, ends


def _level(wanted: Sequence[timedelta], left: timedelta) -> timedelta:
    """Return the length to which the longest are cut so that all together fit."""
    rest = sorted(wanted)
    while rest:
        share = left / len(rest)
        if rest[0] > share:
            return share
        left -= rest.pop(0)
    return LONGEST


def _rounded(step: Step, span: timedelta) -> timedelta:
    unit = _MINUTE if step.form is Form.MINUTES else _SECOND
    return span // unit * unit


def _least(endpoint: Endpoint, step: Step) -> timedelta:
    return max(endpoint.least_validity, _MINUTE if step.form is Form.MINUTES else _SECOND)


def _span(amount: Any, unit: Any, default: str) -> timedelta | None:
    count = whole(amount)
    size = _UNITS.get(text(unit).strip().upper() or default)
    if not count or size is None:
        return None
    return min(min(count, _LARGEST) * size, LONGEST)
