"""Look a report's codes up: total, O(1), and without I/O once the tables are loaded."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from codes import smtp as enhanced
from codes.causes import CAUSES, DEPTHS, FIRM, Blame, Depth
from codes.channels import FAMILIES, UNKNOWN
from codes.meaning import How, Match, Meaning, Outcome
from codes.ref import CodeRef
from codes.table import Row, Tables, load

_GROUPS: Final = {
    0: ("ACCEPTED", Outcome.PENDING),
    1: ("PENDING", Outcome.PENDING),
    2: ("UNDELIVERABLE", Outcome.FAILED),
    3: ("DELIVERED", Outcome.DELIVERED),
    4: ("EXPIRED", Outcome.FAILED),
    5: ("REJECTED", Outcome.FAILED),
}
_GROUP_NAMES: Final = dict(_GROUPS.values())

# A voice report may say DELIVERED of a call that reached no person; its error then tells the truth.
_VOICE_CHANNELS: Final = frozenset({"voice", "calls"})
_NOT_REACHED: Final = {
    "recipient_no_answer": Outcome.FAILED,
    "recipient_busy": Outcome.FAILED,
    "machine_answered": Outcome.DELIVERED,
}
# These are the account's side and the person's side of a contradiction.
_OURS: Final = frozenset({Blame.ACCOUNT, Blame.CONTENT})
_THEIRS: Final = frozenset({Blame.PERSON, Blame.ADDRESS})

_REMEMBERED: Final = 10_000


class Codes:
    """The tables, indexed. Safe to share between threads: all that changes is a cache of immutable values."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._by_id: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
        self._by_name: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self._anywhere: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in tables.rows:
            self._by_id[row.key].append(row)
            self._anywhere[row.kind, row.id].append(row)
            self._by_name[row.kind, row.name.casefold()].append(row)
        # Aliases come after every name: an old name of one code may be the present name of another.
        for row in tables.rows:
            for alias in row.aliases:
                self._by_name[row.kind, alias.casefold()].append(row)
        self._smtp = enhanced.index(tables.smtp)
        self._known: dict[tuple[str, CodeRef | None, CodeRef | None, str], Meaning] = {}

    def lookup(self, channel: str, status: CodeRef | None, error: CodeRef | None, smtp: str = "") -> Meaning:
        """Return what `status` and `error` of a report on `channel` mean; `smtp` is an e-mail's raw SMTP answer."""
        key = (channel, status, error, enhanced.find(smtp) if smtp else "")
        meaning = self._known.get(key)
        if meaning is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            meaning = self._known[key] = self._interpret(*key)
        return meaning

    def _interpret(self, channel: str, status: CodeRef | None, error: CodeRef | None, smtp: str) -> Meaning:
        own = FAMILIES.get(channel, FAMILIES[UNKNOWN])
        status_match = self._match("status", own[0], status)
        error_match = self._match("error", own[1], error)
        outcome = _outcome(status_match)
        said = error_match.row.cause if error_match.row else ""
        conflict = False
        refined = None
        if outcome is Outcome.DELIVERED and channel in _VOICE_CHANNELS and said in _NOT_REACHED:
            outcome, cause = _NOT_REACHED[said], said
        elif outcome is not Outcome.FAILED:
            cause = _cause_without_failure(outcome, status_match)
        else:
            refined = enhanced.meaning_of(smtp, self._smtp) if _refinable(channel, error_match) else None
            cause, conflict = _cause_of_failure(status_match, error_match, refined.cause if refined else said)
            outcome = {"unconfirmed": Outcome.UNKNOWN, "pending": Outcome.PENDING}.get(cause, outcome)
        refined = refined if refined and refined.cause == cause else None
        return Meaning(
            channel=channel,
            outcome=outcome,
            cause=cause,
            advice=refined.advice if refined else _advice(cause, conflict, error_match, status_match),
            status=status_match,
            error=error_match,
            smtp=smtp if refined else "",
            conflict=conflict,
            unknown=status_match.unknown or error_match.unknown,
            tables=self.tables.hash,
        )

    def _match(self, kind: str, own: tuple[str, ...], ref: CodeRef | None) -> Match:
        """Find the row of `ref`: by id and name, by id alone, by name alone, by group, in this order."""
        if ref is None:
            return Match(None, None, How.NOT_AT_ALL)
        families = (*own, "general")
        name = ref.name.casefold()
        if ref.id is not None:
            nearest = [row for family in families for row in self._by_id.get((family, kind, ref.id), ())]
            everywhere = nearest + self._anywhere.get((kind, ref.id), [])
            named = [row for row in everywhere if name and _is_called(row, name)]
            # Names change while ids stay, so within the channel's own tables (general, where it has none) the id
            # alone counts; a foreign table's id under another name is another code.
            trusted = (
                nearest if not name else [row for row in nearest if row.family == families[0] or row.family in own]
            )
            row = _by_group(named, ref) or _by_group([row for row in trusted if not _other_group(row, ref)], ref)
            if row is not None:
                return Match(ref, row, How.ID)
        if name:
            called = self._by_name.get((kind, name), [])
            row = _by_group([row for row in called if row.family in families] or called, ref)
            if row is not None:
                return Match(ref, row, How.NAME)
        grouped = ref.group_id is not None or ref.group
        return Match(ref, None, How.GROUP if grouped else How.NOT_AT_ALL)


def _is_called(row: Row, name: str) -> bool:
    return row.name.casefold() == name or any(alias.casefold() == name for alias in row.aliases)


def _group_name(text: str) -> str:
    return text.strip().upper().replace(" ", "_")


def _same_group(row: Row, ref: CodeRef) -> bool:
    return (ref.group_id is not None and ref.group_id == row.group_id) or (
        bool(ref.group) and _group_name(ref.group) == row.group
    )


def _other_group(row: Row, ref: CodeRef) -> bool:
    told = ref.group_id is not None or bool(ref.group)
    return told and bool(row.group) and not _same_group(row, ref)


def _by_group(rows: Iterable[Row], ref: CodeRef) -> Row | None:
    """Return the row that shares the report's group, else the first."""
    rows = list(rows)
    return next((row for row in rows if _same_group(row, ref)), rows[0] if rows else None)


def _outcome(status: Match) -> Outcome:
    if status.row is not None:
        cause = status.row.cause
        if cause == "delivered":
            return Outcome.DELIVERED
        if cause == "pending":
            # Id 2 is in the group DELIVERED and means that the operator has it: a further report may follow.
            return Outcome.HANDED_OVER if status.row.group == "DELIVERED" else Outcome.PENDING
        return Outcome.UNKNOWN if cause == "unconfirmed" else Outcome.FAILED
    if status.ref is None:
        return Outcome.UNKNOWN
    by_id = _GROUPS.get(status.ref.group_id, ("", None))[1] if status.ref.group_id is not None else None
    by_name = _GROUP_NAMES.get(_group_name(status.ref.group))
    if by_id is not None and by_name is not None and by_id is not by_name:
        return Outcome.UNKNOWN
    return by_id or by_name or Outcome.UNKNOWN


def _cause_without_failure(outcome: Outcome, status: Match) -> str:
    if outcome is Outcome.UNKNOWN:
        return status.row.cause if status.row else "unknown"
    return "delivered" if outcome is Outcome.DELIVERED else "pending"


def _refinable(channel: str, error: Match) -> bool:
    """Whether the SMTP answer may say more than the error: bounces, and e-mail reports without an error.

    Never for a code that is not in the tables, and never over what Infobip itself decided before sending.
    """
    if error.row is None:
        return channel == "email" and not error.unknown
    if error.row.family == "email":
        # Words of a mailbox provider that blames us say nothing about the person, even where they begin with 5.1.
        return error.row.group == "BOUNCED" and CAUSES[error.row.cause].blame not in _OURS
    return channel == "email" and error.row.cause in ("delivered", "unspecified")


def _cause_of_failure(status: Match, error: Match, error_cause: str) -> tuple[str, bool]:
    """Return (cause, conflict) of a failed message: the deeper of status and error names the cause."""
    no_error = not error_cause or error_cause == "delivered"
    status_cause = status.row.cause if status.row else "unknown"
    if status.row is None and status.unknown:
        return "unknown", False
    if no_error:
        if error.unknown:
            return (status_cause if _depth(status_cause) == DEPTHS[Depth.SPECIFIC] else "unknown"), False
        # Status 4 and 9 promise their reason in the error; with error 0 or none there is no reason.
        generic = status_cause == "carrier_rejected" or status.row is None
        return ("unspecified" if generic else status_cause), False
    if status.row is None:
        return error_cause, False
    blamed = {CAUSES[status_cause].blame, CAUSES[error_cause].blame}
    if not blamed & _OURS:
        # What a person wants is the reason to remember, whatever else went wrong with this one message.
        for cause in (status_cause, error_cause):
            if cause in FIRM:
                return cause, False
    for cause in (status_cause, error_cause):
        if CAUSES[cause].depth is Depth.DECIDING:
            return cause, False
    specific = min(_depth(status_cause), _depth(error_cause)) >= DEPTHS[Depth.SPECIFIC]
    if specific and blamed & _OURS and blamed & _THEIRS:
        return "unknown", True
    return (status_cause if _depth(status_cause) > _depth(error_cause) else error_cause), False


def _depth(cause: str) -> int:
    return DEPTHS[CAUSES[cause].depth]


def _advice(cause: str, conflict: bool, *matches: Match) -> str:
    if conflict:
        return "One code blames our side and the other the recipient, so a person has to look at this message."
    for match in matches:
        if match.row is not None and match.row.cause == cause:
            return match.row.advice
    if any(match.unknown for match in matches):
        return "This code is not in the tables; look it up in Infobip's documentation and add a row for it."
    return f"The tables say no more than that {CAUSES[cause].summary}."


@cache
def shipped() -> Codes:
    """Return the shipped tables, loaded once per process."""
    return Codes(load())


def load_codes(local: Path | None = None) -> Codes:
    """Return the tables with one installation's own rows over them. Raises what `codes.table.load` raises."""
    return Codes(load(local)) if local else shipped()


def lookup(channel: str, status: object, error: object, smtp: str = "", *, codes: Codes | None = None) -> Meaning:
    """Return what a report's `status` and `error` mean. Never raises: odd input means `unknown`.

    `status` and `error` are each a `CodeRef`, a wire object, or nothing; `codes` defaults to the shipped tables.
    """
    text = smtp if isinstance(smtp, str) else ""
    return (codes or shipped()).lookup(str(channel), _ref(status), _ref(error), text)


def _ref(value: object) -> CodeRef | None:
    return value if isinstance(value, CodeRef) else CodeRef.of(value)
