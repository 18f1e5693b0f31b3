"""The tables, one module for each part of the work."""

from store.schema.acting import aliases, api_keys, contents, outbox, pauses, retries, sends
from store.schema.alerting import (
    incident_deltas,
    incident_events,
    incident_silences,
    incidents,
    traffic,
    traffic_deltas,
)
from store.schema.base import metadata
from store.schema.receiving import (
    addresses,
    decisions,
    failure_days,
    inbox,
    messages,
    meta,
    quarantine,
    report_keys,
    reports,
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
    "inbox",
    "incident_deltas",
    "incident_events",
    "incident_silences",
    "incidents",
    "messages",
    "meta",
    "metadata",
    "outbox",
    "pauses",
    "quarantine",
    "report_keys",
    "reports",
    "retries",
    "sends",
    "suppression_audit",
    "suppressions",
    "traffic",
    "traffic_deltas",
]
