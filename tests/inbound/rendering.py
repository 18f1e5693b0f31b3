"""The stable JSON form of a reading that the expected files of the fixtures are in."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from codes.ref import CodeRef
from infobip.inbound import Reading
from reports import Report


def render(reading: Reading) -> dict[str, Any]:
    """Return a reading without raw items and without whatever is absent."""
    return {
        "shape": reading.shape,
        "received": reading.received,
        "items": [{"index": item.index, **render_report(item.report)} for item in reading.items],
        "faults": [{"index": fault.index, "family": fault.family, "error": fault.error} for fault in reading.faults],
    }


def render_report(report: Report) -> dict[str, Any]:
    """Return a report without its raw item and without whatever is absent."""
    return _said({field.name: _plain(getattr(report, field.name)) for field in fields(report) if field.name != "raw"})


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def _plain(value: Any) -> Any:
    if isinstance(value, CodeRef):
        return _said(value._asdict())
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return value
