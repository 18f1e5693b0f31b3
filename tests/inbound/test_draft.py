"""A report made by way of a draft is a report like any other."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from infobip.inbound.draft import finish, new_draft
from reports import Event, Report


def drafted(report: Report) -> Report:
    draft = new_draft()
    for field in fields(Report):
        setattr(draft, field.name, getattr(report, field.name))
    return finish(draft)


REPORT = Report(Event.SEEN, "SEEN", "seen", {"a": 1}, message_id="m", count=2)


def test_a_finished_draft_equals_the_report_made_directly() -> None:
    assert drafted(REPORT) == REPORT
    assert repr(drafted(REPORT)) == repr(REPORT)


def test_a_finished_draft_is_frozen_and_can_be_replaced() -> None:
    report = drafted(REPORT)

    with pytest.raises(FrozenInstanceError):
        report.kind = "OTHER"  # type: ignore[misc]
    assert type(report) is Report
    assert replace(report, kind="READ").kind == "READ"


def test_a_draft_skips_nothing_that_a_report_does_when_it_is_made() -> None:
    assert not hasattr(Report, "__post_init__")
