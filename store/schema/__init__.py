"""The tables, one module for each part of the work."""

from store.schema.acting import aliases, api_keys, contents, outbox, pauses, retries, sends, silences
from store.schema.alerting import (
    incident_deltas,
    incident_events,
    incident_silences,
    incidents,
    traffic,
    traffic_deltas,
)
from store.schema.base import metadata
from store.schema.pausing import pause_deltas, pause_passes, pause_windows
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
)
from store.schema.suppressing import (
    guard_counts,
    guard_deltas,
    guard_holds,
    lift_requests,
    protections,
    suppression_audit,
    suppressions,
    trail_cuts,
)
from store.schema.syncing import listed, sync_runs
from store.schema.telling import events

__all__ = [
    "addresses",
    "aliases",
    "api_keys",
    "contents",
    "decisions",
    "events",
    "failure_days",
    "guard_counts",
    "guard_deltas",
    "guard_holds",
    "inbox",
    "incident_deltas",
    "incident_events",
    "incident_silences",
    "incidents",
    "lift_requests",
    "listed",
    "messages",
    "meta",
    "metadata",
    "outbox",
    "pause_deltas",
    "pause_passes",
    "pause_windows",
    "pauses",
    "protections",
    "quarantine",
    "report_keys",
    "reports",
    "retries",
    "sends",
    "silences",
    "suppression_audit",
    "suppressions",
    "sync_runs",
    "traffic",
    "traffic_deltas",
    "trail_cuts",
]
