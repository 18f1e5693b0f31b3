"""What an exchange proves about a message. Pure.

Sources: OUTBOUND 1.2 (a refusal of one message is a 200), 1.8 (status 23), 2 (429 and errors), 7.3 (what a timeout and
a 5xx leave open). What nobody documents is taken for unknown: it is looked up, never posted again blindly.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from codes.lookup import lookup
from codes.meaning import Outcome
from infobip.outbound.answers import Entry, read_answer
from infobip.outbound.endpoint import Endpoint
from infobip.outbound.errors import UnreadableAnswer
from infobip.outbound.problems import read_problem
from infobip.outbound.results import Exchange, Exchanged, NotSent, Refused, Result, Sent, Unknown

DUPLICATE: Final = "duplicate"
"""The cause of the status that says: a message with this id is there already."""
_LONGEST_WAIT: Final = timedelta(days=1)
_ACCEPTED: Final = frozenset({Outcome.PENDING, Outcome.HANDED_OVER, Outcome.DELIVERED})

# Statuses by which Infobip (or what stands before it) says that it does not take the request, and what to do.
_CORRECT: Final = "Correct the request in the application that built it."
_NEXT_STEPS: Final = {
    400: _CORRECT,
    401: "Check the account's credential: it is wrong, expired, or given in the wrong form.",
    402: "Top up the account.",
    403: "Give the credential the scope for sending on this channel, in the Infobip portal.",
    404: "Check the base URL, and that this API is switched on for the account.",
    405: _CORRECT,
    406: _CORRECT,
    409: "Look the message up: something of the same name is there already.",
    410: "Check Infobip's release notes: this API is switched off.",
    411: _CORRECT,
    413: "Make the message smaller: its attachments, as a rule.",
    414: _CORRECT,
    415: _CORRECT,
    422: _CORRECT,
    431: _CORRECT,
    451: "Ask Infobip Support: the request is refused for legal reasons.",
}
_THROTTLED: Final = "Wait, then send more slowly."


def judge(endpoint: Endpoint, exchange: Exchange, message_id: str, now: datetime | None = None) -> Result:
    """Return what became of the one message that a request sent under `message_id` (empty: Infobip's own)."""
    if not isinstance(exchange, Exchanged):
        return exchange
    http = exchange.http
    if 200 <= http < 300:
        return _of_answer(endpoint, exchange, message_id)
    if http in (425, 429):
        wait = retry_after(exchange.header("Retry-After"), now or datetime.now(UTC))
        return NotSent(f"it answered {http}: too many requests or too early", _THROTTLED, wait, throttled=True)
    problem = read_problem(exchange.body)
    if 300 <= http < 400:
        words = "it answered with a redirect, and a credential follows none"
        return Refused(f"HTTP {http}", words, "Check the base URL of the account.", http)
    if http in _NEXT_STEPS:
        return Refused(problem.code or f"HTTP {http}", problem.text or "no reason is given", _NEXT_STEPS[http], http)
    return Unknown(f"it answered {http}", http)


def retry_after(text: str, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait, at most a day; None where it says nothing that can be read.

    Infobip documents no such header (OUTBOUND 2): it is believed where it comes, never expected.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return min(max(timedelta(), moment.replace(tzinfo=moment.tzinfo or UTC) - now), _LONGEST_WAIT)


def _of_answer(endpoint: Endpoint, exchange: Exchanged, message_id: str) -> Result:
    try:
        answered = read_answer(endpoint, exchange.body)
    except UnreadableAnswer as error:
        return Unknown(str(error), exchange.http)
    own = [one for one in answered.entries if message_id and one.message_id == message_id]
    results = [_of_entry(endpoint, one, message_id, exchange.http, answered.bulk_id) for one in own or answered.entries]
    if not results:
        return Unknown("the answer has no entry for the message", exchange.http)
    # Several entries for one message are documented nowhere: what may have been accepted counts most.
    rank = {Sent: 0, Unknown: 1, Refused: 2}
    return min(results, key=lambda one: rank.get(type(one), len(rank)))


def _of_entry(endpoint: Endpoint, entry: Entry, message_id: str, http: int, bulk_id: str) -> Result:
    meaning = lookup(endpoint.channel, entry.status, None)
    if entry.status is None:
        return Unknown("the answer's entry has no status", http)
    if meaning.cause == DUPLICATE and message_id and entry.message_id in ("", message_id):
        return Sent(message_id, entry.status, already=True, bulk_id=bulk_id)
    if meaning.outcome in _ACCEPTED:
        return Sent(entry.message_id or message_id, entry.status, bulk_id=bulk_id)
    if meaning.outcome is Outcome.FAILED:
        return Refused(entry.status.name or str(entry.status), str(entry.status), meaning.advice, http, entry.status)
    return Unknown("the answer's status is none that we know", http)
