"""What there is to decide on in one report: a code's meaning, an event's, or nothing."""

from typing import Final, NamedTuple

from codes import Codes, Meaning
from codes.channels import AUTO, UNKNOWN
from codes.events import EventMeaning, as_meaning, event_meaning
from reports import Event, Report
from reports.words import MENTION, OptWords

# States in which a template, or a sender, can no longer be used; providers differ in the word.
_BAD_STATES: Final = frozenset(
    {"REJECTED", "PAUSED", "DISABLED", "FLAGGED", "SUSPENDED", "RESTRICTED", "BLOCKED", "BANNED", "TERMINATED"}
)
# The word that such a state gives the event, by the event's name.
_BAD_WORDS: Final = {
    "TEMPLATE_UPDATE": "rejected",
    "SENDER_UPDATE": "restricted",
    "SENDER_LAUNCH_UPDATE": "restricted",
    "RCS_SENDER_STATUS_UPDATE": "restricted",
    "RCS_SENDER_LAUNCH_STATUS_UPDATE": "restricted",
}
_NEWS: Final = EventMeaning("unknown", advice="Infobip sent an event that this release does not know; look at it.")


class Interpretation(NamedTuple):
    """A report's meaning. `meaning` is `None` where nothing is to be decided; `event` is `None` for delivery reports.

    `word` is what an event says: stop, start, mention, rejected, restricted, or empty.
    """

    meaning: Meaning | None
    event: EventMeaning | None
    word: str


def interpret(report: Report, codes: Codes, words: OptWords) -> Interpretation:
    """Return what `report` means under `codes`, with `words` to recognise opt-outs in inbound messages."""
    if report.event is Event.DELIVERY:
        channel = UNKNOWN if report.channel == AUTO else report.channel
        return Interpretation(codes.lookup(channel, report.status, report.error, report.smtp), None, "")
    word = _word(report, words)
    found = None if word == MENTION else event_meaning(report.kind, word)
    if report.event is Event.UNKNOWN:
        found = _NEWS
    meaning = as_meaning(found, report.channel, codes.tables.hash) if found is not None and found.cause else None
    return Interpretation(meaning, found, word)


def _word(report: Report, words: OptWords) -> str:
    if report.event is Event.INBOUND:
        return words.asks(str(report.detail.get("text", "")), report.recipient)
    if report.kind in _BAD_WORDS and str(report.detail.get("status", "")).upper() in _BAD_STATES:
        return _BAD_WORDS[report.kind]
    return str(report.detail.get("consent", ""))
