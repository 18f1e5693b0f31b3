"""From what a scenario says of a message to its reports, at their time, and on to whoever is to get them."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from infobip.simulator.book import Message
from infobip.simulator.callbacks import Poster
from infobip.simulator.clock import Action, Clock, Schedule, stamp
from infobip.simulator.coding import is_intermediate, pair
from infobip.simulator.pulls import Pulls
from infobip.simulator.rules import Rules
from infobip.simulator.scenario import Step
from infobip.simulator.shapes import LOOKS, Report
from infobip.simulator.targets import Targets

REPORT_KIND: Final = "report"
# How long after the last report those that were held back, or come twice, are posted.
_LATER: Final = 1.0
# Our slug -> Infobip's name for a failover step's channel.
_LEGS: Final = {"kakao": "KAKAO_ALIM", "apple": "APPLE_MB", "instagram": "INSTAGRAM_DM", "line": "LINE_ON"}


class Reporting:
    """Lets the reports of accepted messages happen."""

    def __init__(self, clock: Clock, schedule: Schedule, poster: Poster, targets: Targets, pulls: Pulls) -> None:
        self._clock = clock
        self._schedule = schedule
        self._poster = poster
        self._targets = targets
        self._pulls = pulls
        self.counts: Counter[str] = Counter()

    def plan(self, message: Message, steps: Sequence[Step], rules: Rules, key: str) -> None:
        """Schedule the reports of a message. `key` is what the chances of this message hang on."""
        base = message.accepted + _seconds_until(message.submission.send_at)
        steps = sorted(steps, key=lambda step: step.after)
        posting = rules.scenario.posting
        backwards = len(steps) > 1 and rules.chance("order", key) < posting.out_of_order
        for index, step in enumerate(steps):
            behind = len(steps) - 1 - index
            hold = steps[-1].after - step.after + behind * _LATER if backwards and behind else 0.0
            twice = rules.chance(f"twice {index}", key) < posting.duplicates
            self._at(base + step.after, partial(self._happen, message, step, rules, hold=hold, twice=twice))

    def _happen(self, message: Message, step: Step, rules: Rules, *, hold: float, twice: bool) -> None:
        channel = step.leg or message.submission.leg or message.channel
        if step.seen:
            report = Report(message, message.status, message.error, message.after_last(stamp()), seen=True)
        else:
            status, error = pair(step.status, step.error, channel)
            message.status, message.error = status, error
            leg = _LEGS.get(step.leg, step.leg.upper()) if step.leg else ""
            message.done_at = message.after_last(stamp())
            report = Report(message, status, error, message.done_at, leg, step.smtp)
        self.counts["seen" if step.seen else report.status.group] += 1
        if self._is_wanted(report, rules):
            self._tell(report, rules, hold=hold, twice=twice)

    def _is_wanted(self, report: Report, rules: Rules) -> bool:
        wish = rules.scenario.posting.intermediate
        if report.seen or not is_intermediate(report.status) or wish == "always":
            return True
        return wish == "asked" and report.message.submission.webhook.intermediate

    def _tell(self, report: Report, rules: Rules, *, hold: float, twice: bool) -> None:
        posting = rules.scenario.posting
        target = self._targets.of(report, posting.bucket, posting.timeout)
        if not report.seen and (target is None or rules.scenario.pull_pushed):
            self._pulls.add(self._clock.now(), report)
        if target is None:
            return
        item = LOOKS[target.look].make(report)
        if hold:
            self.counts["held back"] += 1
            self._at(self._clock.now() + hold, partial(self._poster.put, target, item))
        else:
            self._poster.put(target, item)
        if twice:
            self.counts["duplicated"] += 1
            self._at(self._clock.now() + hold + _LATER, partial(self._poster.put, target, item))

    def _at(self, due: float, action: Action) -> None:
        self._schedule.at(due, REPORT_KIND, action)


def _seconds_until(moment: datetime | None) -> float:
    """Planned times are real ones; only the waiting for them is simulated."""
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else 0.0
