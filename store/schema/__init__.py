"""The tables, one module for each part of the work."""

from store.schema.acting import aliases, api_keys, contents, outbox, pauses, retries, sends
from store.schema.base import metadata
from store.schema.receiving import (
    addresses,
    decisions,
    failure_days,
    inbox,
    incident_deltas,
    incidents,
    messages,
    meta,
    quarantine,
    report_keys,
    reports,
)
from store.schema.suppressing import (
    guard_counts,
    guard_deltas,
    guard_holds,
    lift_requests,
    protections,
    suppression_audit,
    suppressions,
)

__all__ = [
    "addresses",
    "aliases",
    "api_keys",
    "contents",
    "decisions",
    "failure_days",
    "guard_counts",
    "guard_deltas",
    "guard_holds",
    "inbox",
    "incident_deltas",
    "incidents",
    "lift_requests",
    "messages",
    "meta",
    "metadata",
    "outbox",
    "pauses",
    "protections",
    "quarantine",
    "report_keys",
    "reports",
    "retries",
    "sends",
    "suppression_audit",
    "suppressions",
]
