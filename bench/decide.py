"""Time `codes.lookup` and `policy.decide` per report: `python -m bench.decide`.

Beside them runs what a user would write instead, a bare dict look-up and a chain of ifs over the group and a few ids,
which knows no causes, keeps no history and explains nothing. It takes the wire objects and we the codes that the
inbound side has read from them, made anew for each report, so that no look-up gains from an object it knows.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any, Final

from codes import CodeRef, lookup
from policy import History, Purpose, decide, shipped_policy
from reports import Event, Report

NOW: Final = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HISTORY: Final = History(purpose=Purpose.TRANSACTIONAL, sent_at=NOW - timedelta(minutes=1))
REPORTS: Final = 20_000
RUNS: Final = 7

Wire = Mapping[str, Any]
Pair = tuple[Wire, Wire]
Item = tuple[Report, Wire, Wire]


def code(number: int, name: str, group: int, group_name: str, permanent: bool | None = None) -> Wire:
    flag = {} if permanent is None else {"permanent": permanent}
    return {"id": number, "name": name, "groupId": group, "groupName": group_name, "description": name, **flag}


OK: Final = code(0, "NO_ERROR", 0, "OK", False)
NOT_DELIVERED: Final = code(9, "UNDELIVERABLE_NOT_DELIVERED", 2, "UNDELIVERABLE")

CASES: Final[dict[str, Pair]] = {
    "delivered": (code(5, "DELIVERED_TO_HANDSET", 3, "DELIVERED"), OK),
    "retry": (NOT_DELIVERED, code(27, "EC_ABSENT_SUBSCRIBER", 1, "HANDSET_ERRORS", False)),
    "suppress": (NOT_DELIVERED, code(1, "EC_UNKNOWN_SUBSCRIBER", 1, "HANDSET_ERRORS", True)),
    "alert": (code(12, "REJECTED_NOT_ENOUGH_CREDITS", 5, "REJECTED"), OK),
    "unknown": (NOT_DELIVERED, code(99999, "EC_BRAND_NEW", 1, "HANDSET_ERRORS", True)),
}
# What a sender sees on an ordinary day, in percent.
MIX: Final = {"delivered": 92.0, "retry": 5.0, "suppress": 2.5, "alert": 0.4, "unknown": 0.1}

NAMES: Final = {0: "ok", 1: "unknown_subscriber", 27: "absent", 31: "busy", 603: "stop", 608: "fraud"}


def by_hand(status: Wire, error: Wire) -> str:
    """Decide as an application does that reads the group and remembers a few ids."""
    name = NAMES.get(error["id"], "other")
    if status["groupName"] == "DELIVERED":
        return "done"
    if status["groupName"] == "PENDING":
        return "wait"
    if name in ("absent", "busy"):
        return "retry"
    if name in ("unknown_subscriber", "stop") or error.get("permanent"):
        return "suppress"
    return "alert"


def ours(reports: Iterable[Item]) -> None:
    rules = shipped_policy()
    for report, _, _ in reports:
        decide(report, lookup(report.channel, report.status, report.error), HISTORY, rules, NOW)


def baseline(reports: Iterable[Item]) -> None:
    for _, status, error in reports:
        by_hand(status, error)


def sample(weights: Mapping[str, float], chance: random.Random) -> list[Item]:
    """Return reports to different recipients, whose codes are drawn by weight."""
    names = chance.choices(list(weights), list(weights.values()), k=REPORTS)
    return [(_report(number, *CASES[name]), *CASES[name]) for number, name in enumerate(names)]


def _report(number: int, status: Wire, error: Wire) -> Report:
    return Report(
        Event.DELIVERY,
        "DELIVERY",
        "unified",
        {},
        channel="sms",
        message_id=f"message-{number}",
        recipient=f"38591{number:07}",
        status=CodeRef.of(status),
        error=CodeRef.of(error),
    )


def timed(run: Callable[[Iterable[Item]], None], reports: list[Item]) -> str:
    """Return the least and the middle time per report over all runs, in microseconds."""
    spans = []
    for _ in range(RUNS):
        start = perf_counter()
        run(reports)
        spans.append((perf_counter() - start) / len(reports) * 1e6)
    return f"{min(spans):8.2f} {median(spans):8.2f}"


def main() -> None:
    """Print one line for each kind of report and for the mix."""
    chance = random.Random(7)
    ours(sample(MIX, chance))  # load the tables and the policy, and fill their caches
    print(f"µs per report, {REPORTS} reports, {RUNS} runs; by hand: a dict and a chain of ifs")
    print(f"{'':12}{'lookup+decide':>17}   {'by hand':>17}")
    print(f"{'':12}{'min':>8} {'median':>8}   {'min':>8} {'median':>8}")
    mixes: dict[str, Mapping[str, float]] = {**{name: {name: 1.0} for name in CASES}, "mix": MIX}
    for name, weights in mixes.items():
        reports = sample(weights, chance)
        print(f"{name:12}{timed(ours, reports)}   {timed(baseline, reports)}")


if __name__ == "__main__":
    main()
