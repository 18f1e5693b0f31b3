"""Which failures pass, what they say about a scope, and when there are too many of them. Pure.

A carrier that is down says nothing about the sender, and a throttled sender nothing about the carrier: a pause of the
one must not hold the messages of the other. What is about one person (busy, full, out of credit) says nothing about
anybody else.
"""

from collections.abc import Mapping
from typing import Final

from codes import Outcome
from policy.decision import Decision, Retry
from policy.rules import Limits

KINDS: Final = ("account", "network", "sender", "domain", "brand")
_NOBODY_ELSE: Final[frozenset[str]] = frozenset()
_ROUTE: Final = frozenset({"network", "domain"})
_OURS: Final = frozenset({"sender", "brand", "domain"})

# cause -> the kinds of scope of which it tells that they are in trouble, for now
_TELLING: Final[Mapping[str, frozenset[str]]] = {
    "carrier_failure": _ROUTE,
    "recipient_unreachable": _ROUTE,  # so does an outage look from outside; single phones are hardly ever 30 % of all
    "platform_failure": frozenset(KINDS),
    "throttled": _OURS,
    "quota_reached": _OURS,
    "sender_reputation": _OURS,
    "recipient_barred": _NOBODY_ELSE,
    "recipient_busy": _NOBODY_ELSE,
    "recipient_capped": _NOBODY_ELSE,
    "recipient_declined": _NOBODY_ELSE,
    "recipient_full": _NOBODY_ELSE,
    "recipient_no_answer": _NOBODY_ELSE,
    "recipient_not_on_channel": _NOBODY_ELSE,
    "recipient_out_of_credit": _NOBODY_ELSE,
    "machine_answered": _NOBODY_ELSE,
    "conversation_closed": _NOBODY_ELSE,
    "flooding": _NOBODY_ELSE,
    "outside_hours": _NOBODY_ELSE,
}


def in_trouble(decision: Decision) -> frozenset[str]:
    """Return the kinds of scope of whose trouble the decision's report tells.

    A cause that is not in the table tells of the route, where a rule takes it for one that passes: it sends again.
    """
    if decision.outcome is not Outcome.FAILED:
        return _NOBODY_ELSE
    known = _TELLING.get(decision.cause)
    if known is not None:
        return known
    return _ROUTE if any(isinstance(action, Retry) for action in decision.actions) else _NOBODY_ELSE


def is_surge(failed: int, total: int, limits: Limits) -> bool:
    """Whether `failed` of `total` messages of a scope, within `limits.pause_window`, are too many."""
    return failed >= limits.pause_count and failed >= limits.pause_share * total
