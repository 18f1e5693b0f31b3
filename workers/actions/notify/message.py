"""What a person reads of an incident: a line, and then what it means and what to do next."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from codes import CAUSES
from config.mask import mask_text
from store.incident_events import GRAVER, OPENED, REMINDED, REOPENED, RESOLVED, UPDATED
from store.notices import Notice

_WORDS: Final = {
    OPENED: "",
    REOPENED: "Back: ",
    REMINDED: "Still: ",
    GRAVER: "Worse: ",
    UPDATED: "",
    RESOLVED: "Resolved: ",
}
_LONGEST_TITLE: Final = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One notification, ready for any kind of route."""

    key: str
    """The incident's stable key: what belongs together has the same."""
    notice_key: str
    """The notification's own stable key: a repetition has the same."""
    title: str
    body: str
    severity: str
    resolved: bool
    details: dict[str, str]
    """The same for machines."""


def incident_key(incident: Any) -> str:
    """Return the key under which all systems know an incident."""
    return f"dlr-{incident.id}"


def message_of(notice: Notice) -> Message:
    """Return what a route is told."""
    event, incident = notice.event, notice.incident
    title = f"[{event.severity}] {_WORDS.get(event.change, '')}{incident.title}"
    return Message(
        key=incident_key(incident),
        notice_key=f"dlr-{event.id}",
        title=title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…",
        body="\n".join(_lines(event, incident)),
        severity=event.severity,
        resolved=event.change == RESOLVED,
        details=details_of(incident) | {"change": event.change},
    )


def meaning_of(cause: str) -> str:
    """Return what a cause means, as a sentence, or nothing for a cause that there is not."""
    known = CAUSES.get(cause)
    return f"It fails because {known.summary}." if known is not None else ""


def details_of(incident: Any) -> dict[str, str]:
    """Return an incident as plain texts by name."""
    facts = {name: str(value) for name, value in json.loads(incident.facts).items()}
    return facts | {
        "incident": str(incident.id),
        "account": incident.account,
        "rule": incident.rule,
        "cause": incident.cause,
        "severity": incident.severity,
        "count": str(incident.count),
        "first_seen": incident.first_at.isoformat(timespec="seconds"),
        "last_seen": incident.last_at.isoformat(timespec="seconds"),
    }


def _lines(event: Any, incident: Any) -> list[str]:
    times = f"{incident.count} time{'' if incident.count == 1 else 's'}"
    lines = [incident.title, f"{times}, first {shown(incident.first_at)}, last {shown(incident.last_at)}."]
    if incident.account:
        lines.append(f"Account: {incident.account}. Rule: {incident.rule}.")
    if event.change == RESOLVED:
        # A person typed both, and may have written whose message it was.
        by = f"by {mask_text(event.who)}" if event.who else "by itself, since nothing was heard of it any more"
        lines.append(f"It was resolved {by}, at {shown(event.at)}.")
        if event.detail:
            lines.append(mask_text(event.detail))
    else:
        if meaning := meaning_of(incident.cause):
            lines.append(f"What it means: {meaning}")
        if incident.next_step:
            lines.append(f"What to do next: {incident.next_step}")
        examples = json.loads(incident.examples)
        if examples:
            lines.append("For example: " + "; ".join(examples[:3]))
    lines.append(f"More: dlr incidents show {incident.id}")
    return lines


def shown(moment: datetime) -> str:
    """Return a moment to the second, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
