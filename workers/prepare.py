"""What can be worked out about a callback's items before any transaction: decoding, look-up, keys."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from codes import CodeRef, Codes, Meaning
from codes.channels import AUTO, UNKNOWN
from codes.events import EventMeaning
from infobip.inbound import Reading, read
from policy.interpret import Interpretation, interpret
from reports import Event, Report, normalise
from reports.words import OptWords
from store.inbox import Callback
from store.moments import to_ms
from store.vault import Vault

# Infobip's time may run ahead of ours a little; what lies further off, or before Infobip's present API, is no time.
_AHEAD: Final = timedelta(minutes=10)
_OLDEST: Final = datetime(2015, 1, 1, tzinfo=UTC)

# Kinds of events that tell about a message which we sent: the others' message ids are their own.
_OF_A_MESSAGE: Final = frozenset({Event.DELIVERY, Event.SEEN, Event.CLICK})


class Prepared(msgspec.Struct, frozen=True):
    """One item of a callback with everything about it that no other row can change.

    A struct, since one is made for every report: a frozen dataclass sets each member by a call of its own.
    """

    callback_id: int
    index: int
    report: Report
    trusted: bool
    received_at: datetime
    received_ms: int
    event_at: datetime
    event_ms: int
    """Both times again, in milliseconds: several rows of each item hold them."""
    replaced_time: bool
    """Whether the report's own time could not be used and receipt time stands for it."""
    meaning: Meaning | None
    """What it means, where it is something to decide on."""
    event: EventMeaning | None
    word: str
    """The person's word in an event: stop, start, mention, or empty."""
    fingerprint: bytes
    recipient: bytes
    message_key: bytes
    """Empty for items that tell of no message of ours."""
    other_key: bytes = b""
    """The key that it would have if `sender` were the person: seen reports do not agree on who is who."""
    attempt: int = 0
    """Which resend of the message it is about; 0 is the original."""
    mistyped: bool = False
    """Whether the URL that it came to names a channel that there is not: the endpoint has told of it."""

    def but(self, **changes: Any) -> "Prepared":
        """Return the item with other members."""
        return msgspec.structs.replace(self, **changes)

    @property
    def makes_known(self) -> bool:
        """Whether its message is known from it on, where nothing was known of that before, with its `fingerprint`.

        Not that of a resend: whose it is may be forgotten sooner.
        """
        return self.report.event is Event.DELIVERY and bool(self.message_key) and not self.attempt

    @property
    def message_keys(self) -> tuple[bytes, ...]:
        """The keys of the messages that it may be about."""
        if not self.other_key:
            return (self.message_key,) if self.message_key else ()
        return (self.message_key, self.other_key) if self.message_key else (self.other_key,)


class Preparer:
    """Prepares items; holds what that takes."""

    def __init__(self, vault: Vault, codes: Codes, words: OptWords, default_channel: str = "") -> None:
        self._vault = vault
        self._codes = codes
        self._words = words
        self._default_channel = default_channel or UNKNOWN

    def prepare(self, callback: Callback) -> list[Prepared]:
        """Return the callback's readable items. Bad ones were quarantined when it was kept.

        Raises whatever `infobip.inbound.read` raises: `InboundError`, or anything at all for an undecoded body.
        """
        reading: Reading = read(callback.body, callback.content_type, callback.channel, account=callback.account)
        received_ms = to_ms(callback.received_at)
        return [self._item(callback, item.index, item.report, received_ms) for item in reading.items]

    def item(self, callback: Callback, index: int, report: Report) -> Prepared:
        """Return one item prepared."""
        return self._item(callback, index, report, to_ms(callback.received_at))

    def _item(self, callback: Callback, index: int, report: Report, received_ms: int) -> Prepared:
        if report.channel in (UNKNOWN, AUTO):
            report = replace(report, channel=self._default_channel)
        event_at, replaced = _event_time(report.event_at, callback.received_at)
        event_ms = received_ms if event_at is callback.received_at else to_ms(event_at)
        found = self.interpret(report)
        of_a_message = report.event in _OF_A_MESSAGE or report.kind == "LATE_BOUNCE"
        key = other = b""
        if of_a_message and report.message_id:
            key = self._key(report, report.recipient)
            if report.event is Event.SEEN and report.sender:
                other = self._key(report, normalise(report.sender))
        # By place, in the order of the members above, as in `workers.rows.facts`: a struct finds names one by one.
        return Prepared(
            callback.id,
            index,
            report,
            callback.trusted,
            callback.received_at,
            received_ms,
            event_at,
            event_ms,
            replaced,
            found.meaning,
            found.event,
            found.word,
            fingerprint(report, trusted=callback.trusted, event_ms=None if replaced else event_ms),
            self._vault.hash_address(report.account, report.recipient) if report.recipient else b"",
            key,
            other,
            mistyped=callback.channel == UNKNOWN,
        )

    def interpret(self, report: Report) -> Interpretation:
        """Return what there is to decide on in a report."""
        return interpret(report, self._codes, self._words)

    def _key(self, report: Report, recipient: str) -> bytes:
        return self._vault.digest("message", report.account, report.message_id, recipient)


def _event_time(event_at: datetime | None, received_at: datetime) -> tuple[datetime, bool]:
    if event_at is None or event_at < _OLDEST or event_at > received_at + _AHEAD:
        return received_at, True
    return event_at, False


def fingerprint(report: Report, *, trusted: bool = True, event_ms: int | None = None) -> bytes:
    """Return 32 bytes that are the same for every repetition of the same report and for nothing else.

    Fields are length-prefixed so that none can pose as a part of another; absent fields are empty. A report with
    neither a message id nor an event id is told apart by the whole item. What a stranger posted never uses up the
    fingerprint of the real one. `event_ms` is the report's own time in milliseconds, for who knows it already.
    """
    if report.message_id or report.event_id:
        # As plain text: an enum's member takes twice as long to put into one.
        event, kind, message, recipient = str(report.event), report.kind, report.message_id, report.recipient
        channel, status, error = report.own_channel, _code(report.status), _code(report.error)
        told = report.event_id or _time(report.event_at, event_ms)
        # Written out: this is done for each report, and a loop over the fields takes 1.0 us instead of 0.6.
        text = (
            f"{len(event)}:{event}{len(kind)}:{kind}{len(message)}:{message}{len(recipient)}:{recipient}"
            f"{len(channel)}:{channel}{len(status)}:{status}{len(error)}:{error}{len(told)}:{told}"
        )
    else:
        text = canonical(report.raw)
    text = text if trusted else f"untrusted {text}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _time(at: datetime | None, ms: int | None) -> str:
    if ms is not None:
        return str(ms)
    return str(to_ms(at)) if at else ""


def _code(ref: CodeRef | None) -> str:
    if ref is None:
        return ""
    return str(ref.id) if ref.id is not None else ref.name


def canonical(raw: Mapping[str, Any]) -> str:
    """Return an item as JSON whose member order and white space do not depend on how it was sent."""
    return msgspec.json.encode(dict(raw), order="deterministic", enc_hook=str).decode("utf-8", "surrogatepass")


def slices(items: Iterable[Prepared], most: int) -> Iterable[list[Prepared]]:
    """Yield the items in order, `most` at a time."""
    part: list[Prepared] = []
    for item in items:
        part.append(item)
        if len(part) == most:
            yield part
            part = []
    if part:
        yield part
