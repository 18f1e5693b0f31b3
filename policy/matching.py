"""What a rule may ask of a report, and how that is answered: by its codes, by its own values, by what else is known."""

from collections.abc import Callable
from dataclasses import dataclass

from codes import Match, Meaning
from policy.history import History, Purpose
from reports import Report

ReportCheck = Callable[[Report], bool]
HistoryCheck = Callable[[History, Purpose], bool]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a rule matches. An empty set or `None` matches anything; codes are ids or names in lower case."""

    account: frozenset[str] = frozenset()
    channel: frozenset[str] = frozenset()
    event: frozenset[str] = frozenset()
    outcome: frozenset[str] = frozenset()
    family: frozenset[str] = frozenset()
    status: frozenset[int | str] = frozenset()
    error: frozenset[int | str] = frozenset()
    group: frozenset[str] = frozenset()
    cause: frozenset[str] = frozenset()
    permanent: bool | None = None
    conflict: bool | None = None
    infobip_retries: bool | None = None
    purpose: frozenset[str] = frozenset()
    sender: frozenset[str] = frozenset()
    application: frozenset[str] = frozenset()
    entity: frozenset[str] = frozenset()
    country: frozenset[str] = frozenset()
    network: frozenset[str] = frozenset()
    campaign: frozenset[str] = frozenset()


def fits_codes(wanted: Conditions, meaning: Meaning) -> bool:
    """Whether the conditions that only the codes decide are met."""
    return (
        _one_of(wanted.channel, meaning.channel)
        and _one_of(wanted.outcome, meaning.outcome)
        and _one_of(wanted.cause, meaning.cause)
        and wanted.permanent in (None, meaning.permanent)
        and wanted.conflict in (None, meaning.conflict)
        and _is_code(wanted.status, meaning.status)
        and _is_code(wanted.error, meaning.error)
        and (not wanted.family or bool(wanted.family & _families(meaning)))
        and (not wanted.group or bool(wanted.group & _groups(meaning)))
    )


def _one_of(wanted: frozenset[str], value: str) -> bool:
    return not wanted or value in wanted


def _is_code(wanted: frozenset[int | str], match: Match) -> bool:
    """Whether the matched row is one of `wanted`. A code outside the tables fits no rule that names codes."""
    return not wanted or (match.row is not None and (match.row.id in wanted or match.row.name.lower() in wanted))


def _families(meaning: Meaning) -> set[str]:
    return {match.row.family for match in (meaning.status, meaning.error) if match.row}


def _groups(meaning: Meaning) -> set[str]:
    return {match.row.group.lower() for match in (meaning.status, meaning.error) if match.row}


def report_checks(wanted: Conditions) -> tuple[ReportCheck, ...]:
    """Return the tests that only a report's own values can answer, for the conditions that are set."""
    found: list[ReportCheck] = []
    for name in ("account", "sender", "application", "entity", "campaign"):
        if values := getattr(wanted, name):
            found.append(_names(name, values))
    if events := wanted.event:
        found.append(lambda report: report.event in events or report.kind in events)
    if networks := wanted.network:
        found.append(lambda report: bool(networks & {report.mcc_mnc, report.mcc_mnc[:3]}))
    if countries := tuple(code.lstrip("+") for code in wanted.country):
        found.append(lambda report: "@" not in report.recipient and report.recipient.startswith(countries))
    return tuple(found)


def history_checks(wanted: Conditions) -> tuple[HistoryCheck, ...]:
    """Return the tests that what is known besides the report answers."""
    found: list[HistoryCheck] = []
    if purposes := wanted.purpose:
        found.append(lambda history, purpose: purpose in purposes)
    if wanted.infobip_retries is not None:
        asked = wanted.infobip_retries
        found.append(lambda history, purpose: history.infobip_retries is asked)
    return tuple(found)


def _names(attribute: str, values: frozenset[str]) -> ReportCheck:
    return lambda report: getattr(report, attribute) in values
