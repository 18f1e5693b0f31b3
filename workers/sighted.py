"""What the alerts of one slice add to incidents: counted as they are met, so that a storm of one cause costs little.

All that is of one incident, minute and purpose becomes one sighting, made from the first report that tells of it; of
the others only the number is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from codes import CAUSES
from codes.causes import OURS
from config.mask import mask, mask_text
from policy import Alert, Decision, Retry
from reports import Report, mail_domain
from store.incidents import Sighting
from workers.prepare import Prepared

_MINUTE = 60
_Key = tuple[str, str, tuple[str, ...], int, str]


@dataclass(slots=True)
class Sighted:
    """The sightings of one slice."""

    _first: dict[_Key, Sighting] = field(default_factory=dict)
    _counts: dict[_Key, int] = field(default_factory=dict)

    def add(self, item: Prepared, decision: Decision, action: Alert, purpose: str) -> None:
        """Count one report that an alert is about; `purpose` is that of its message."""
        values = tuple([_dimension(name, item, decision) for name in action.group_by])
        minute = int(item.event_at.timestamp()) // _MINUTE
        key = (item.report.account, action.rule, values, minute, purpose)
        known = self._counts.get(key)
        if known is None:
            self._first[key] = _sighting(item, decision, action, purpose)
            self._counts[key] = 1
        else:
            self._counts[key] = known + 1

    def __iter__(self) -> Iterator[Sighting]:
        """Yield the sightings, each with its number."""
        for key, first in self._first.items():
            yield replace(first, count=self._counts[key])


def _sighting(item: Prepared, decision: Decision, action: Alert, purpose: str) -> Sighting:
    """Return what an alert adds to its incident."""
    values = {name: value for name in action.group_by if (value := _dimension(name, item, decision))}
    scope = ", ".join(f"{name} {value}" for name, value in values.items())
    return Sighting(
        account=item.report.account,
        key="|".join((action.rule, *(f"{name}={value}" for name, value in values.items()))),
        rule=action.rule,
        severity=action.severity,
        title=f"{_title(item, decision)} ({scope})",
        next_step=_next_step(item, decision),
        at=item.event_at,
        threshold=action.threshold,
        within=action.within,
        repeat=action.repeat,
        example=f"{mask_text(item.report.message_id or item.report.event_id)} to {mask(item.report.recipient)}",
        cause=decision.cause,
        purpose=purpose,
        facts=values,
    )


def _next_step(item: Prepared, decision: Decision) -> str:
    advice = item.meaning.advice if item.meaning else ""
    if decision.cause in OURS and not any(isinstance(action, Retry) for action in decision.actions):
        advice += " Then `dlr retries from-incident ID`, with this incident's id, lists what can still be sent again."
    return advice.strip()


def _title(item: Prepared, decision: Decision) -> str:
    meaning = item.meaning
    if meaning is not None and meaning.conflict:
        return "The codes of a report contradict each other"
    if decision.cause == "unknown":
        codes = [match.label for match in (meaning.status, meaning.error) if match.unknown] if meaning else []
        return f"Not in the tables: {', '.join(codes)}" if codes else f"Unknown event {item.report.kind}"
    return f"Messages fail because {CAUSES[decision.cause].summary}"


def _dimension(name: str, item: Prepared, decision: Decision) -> str:
    """Return what a report has for one of the things that alerts are grouped by, or nothing."""
    report = item.report
    match name:
        case "network":
            return report.mcc_mnc
        case "country":
            return report.mcc_mnc[:3]
        case "domain":
            return mail_domain(report.recipient)
        case "template":
            return _template(report)
        case "cause":
            return decision.cause
        case "error" | "status":
            label = getattr(item.meaning, name).label if item.meaning else ""
            return "" if label == "none" else label
        case _:
            return str(getattr(report, name))


def _template(report: Report) -> str:
    """Return the template that a platform tells of, with its language: one language of it may be rejected alone."""
    name = report.detail.get("template") or report.detail.get("template_id")
    return " ".join(str(part) for part in (name, report.detail.get("language")) if part) if name else ""
