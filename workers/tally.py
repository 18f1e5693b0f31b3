"""How the messages of one slice ended: pauses, the guard and the watch tell by it what is usual and what is not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from codes import Outcome
from policy import Decision
from policy.surge import KINDS, in_trouble
from reports import mail_domain
from store import guard, traffic
from store.moments import from_ms, to_ms
from store.pauses import Scope
from store.surges import Ended
from workers.prepare import Prepared
from workers.scopes import scopes

_MINUTE_MS: Final = 60_000
# Account, channel, network, sender, brand, mail domain; the hour of its receipt, the minute of the event; whether it
# failed, whether it is trusted, and whether it counts for a pause.
_Key = tuple[str, str, str, str, str, str, int, int, bool, bool, bool]
_Final = tuple[str, list[tuple[str, str]], int, int]


@dataclass(slots=True)
class Tally:
    """Counts final delivery reports. One number is added for each; what it is a part of is worked out at the end."""

    now_ms: int
    since_ms: int | None = None
    """Nothing that happened before counts for a pause; None: nothing does, since nothing is resent."""
    totals: dict[_Key, int] = field(default_factory=dict)
    failures: dict[_Key, dict[frozenset[str], int]] = field(default_factory=dict)

    @classmethod
    def of(cls, now: datetime, window: timedelta, *, counts: bool) -> "Tally":
        """Return a tally whose pauses count what happens within `window`, where they count anything."""
        return cls(to_ms(now), to_ms(now - window) if counts else None)

    def add(self, item: Prepared, decision: Decision) -> None:
        """Count a message that arrived or failed."""
        report, trusted = item.report, item.trusted
        failed = decision.outcome is Outcome.FAILED
        key = (
            report.account,
            report.channel,
            report.mcc_mnc,
            report.sender,
            report.campaign or report.application,
            mail_domain(report.recipient),
            item.received_ms // traffic.HOUR_MS,
            item.event_ms // _MINUTE_MS,
            failed,
            trusted,
            trusted and self.since_ms is not None and item.event_ms >= self.since_ms,
        )
        self.totals[key] = self.totals.get(key, 0) + 1
        trouble = in_trouble(decision) if failed else None
        if trouble:
            kinds = self.failures.setdefault(key, {})
            kinds[trouble] = kinds.get(trouble, 0) + 1

    def traffic(self) -> traffic.Counts:
        """Return what was counted as `store.traffic` keeps it."""
        counts: traffic.Counts = Counter()
        for (account, channel, network, _, _, _, hour, _, failed, _, _), total in self.totals.items():
            counts[account, channel, network[:16], hour * traffic.HOUR_MS, failed] += total
        return counts

    def finals(self) -> Iterator[_Final]:
        """Yield account, scopes, bucket and number of what the guard counts: what trusted reports tell."""
        for (account, _, network, sender, _, domain, _, minute, _, trusted, _), total in self.totals.items():
            if trusted:
                happened = minute * _MINUTE_MS
                yield account, guard.scopes(domain, network, sender), happened - happened % guard.BUCKET_MS, total

    def ended(self) -> list[Ended]:
        """Return what was counted for pauses, for each scope that one may be of."""
        sums: dict[tuple[str, Scope, int], list[int]] = {}
        for key, total in self.totals.items():
            account, _, network, sender, brand, domain, _, minute, _, _, counts = key
            if not counts:
                continue
            minute = min(minute, self.now_ms // _MINUTE_MS)
            troubles = self.failures.get(key, {})
            for scope in scopes(network=network, sender=sender, brand=brand, domain=domain):
                if scope.kind in KINDS:
                    found = sums.setdefault((account, scope, minute), [0, 0])
                    found[0] += total
                    found[1] += sum(count for kinds, count in troubles.items() if scope.kind in kinds)
        return [
            Ended(account, scope, from_ms(minute * _MINUTE_MS), total, failed)
            for (account, scope, minute), (total, failed) in sorted(sums.items())
        ]
