"""How the messages of one slice ended, by scope and minute: what surges of passing failures are seen by."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from policy import Decision
from policy.surge import KINDS, in_trouble
from reports import mail_domain
from store.moments import from_ms, to_ms
from store.pauses import Scope
from store.surges import Ended
from workers.prepare import Prepared
from workers.scopes import scopes

_MINUTE_MS: Final = 60_000
_Key = tuple[str, str, str, str, str, int]


@dataclass(slots=True)
class Tally:
    """Counts final reports. One number is added for each; what scopes they are of is worked out once, at the end."""

    since: datetime | None = None
    """Nothing that happened before counts; None: nothing counts, since nothing is resent."""
    totals: dict[_Key, int] = field(default_factory=dict)
    failures: dict[_Key, dict[frozenset[str], int]] = field(default_factory=dict)

    @classmethod
    def of(cls, now: datetime, window: timedelta, *, counts: bool) -> "Tally":
        """Return a tally of what happens within `window`."""
        return cls(now - window if counts else None)

    def add(self, item: Prepared, decision: Decision, now: datetime) -> None:
        """Count a message that arrived or failed."""
        if self.since is None or item.event_at < self.since:
            return
        report = item.report
        minute = to_ms(min(item.event_at, now)) // _MINUTE_MS
        brand = report.campaign or report.application
        key = (report.account, report.mcc_mnc, report.sender, brand, mail_domain(report.recipient), minute)
        self.totals[key] = self.totals.get(key, 0) + 1
        trouble = in_trouble(decision)
        if trouble:
            failed = self.failures.setdefault(key, {})
            failed[trouble] = failed.get(trouble, 0) + 1

    def ended(self) -> list[Ended]:
        """Return what was counted, for each scope that a pause may be of."""
        sums: dict[tuple[str, Scope, int], list[int]] = {}
        for key, total in self.totals.items():
            account, network, sender, brand, domain, minute = key
            troubles = self.failures.get(key, {})
            for scope in scopes(network=network, sender=sender, brand=brand, domain=domain):
                if scope.kind in KINDS:
                    counts = sums.setdefault((account, scope, minute), [0, 0])
                    counts[0] += total
                    counts[1] += sum(count for kinds, count in troubles.items() if scope.kind in kinds)
        return [
            Ended(account, scope, from_ms(minute * _MINUTE_MS), total, failed)
            for (account, scope, minute), (total, failed) in sorted(sums.items())
        ]
