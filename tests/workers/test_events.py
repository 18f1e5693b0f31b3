"""Events that are no delivery report are kept, and acted on only where they should be."""

import json
from pathlib import Path

import pytest

from infobip.inbound import read
from store.schema import incidents, quarantine, reports, suppressions
from tests.support.desk import Desk
from workers.prepare import fingerprint

FIXTURES = Path(__file__).parent.parent / "fixtures"


def handle(desk: Desk, fixture: str, channel: str = "auto") -> None:
    desk.post_body((FIXTURES / fixture).read_bytes(), channel)
    desk.drain()


@pytest.mark.parametrize(
    ("fixture", "cause", "purpose"),
    [
        ("email-tracking/complained.json", "recipient_complained", "all"),
        ("email-tracking/unsubscribed.json", "recipient_opted_out", "marketing"),
        ("blocklist/block-by-link.json", "recipient_opted_out", "all"),
        ("whatsapp-marketing/stop.json", "recipient_opted_out", "marketing"),
        ("consent/messenger-unsubscribe.json", "recipient_opted_out", "marketing"),
        ("consent/viber-consent-update.json", "recipient_opted_out", "marketing"),
    ],
)
def test_what_a_person_says_suppresses_at_once(desk: Desk, fixture: str, cause: str, purpose: str) -> None:
    handle(desk, fixture)
    [entry] = desk.rows(suppressions)
    assert (entry.state, entry.cause, entry.purpose) == ("active", cause, purpose)


def test_a_late_bounce_is_proposed_like_any_failure(desk: Desk) -> None:
    handle(desk, "email-tracking/late-bounce.json")
    assert [(row.state, row.cause) for row in desk.rows(suppressions)] == [("proposed", "recipient_unknown")]


def test_marketing_that_was_stopped_may_be_resumed(desk: Desk) -> None:
    stopped = json.loads((FIXTURES / "whatsapp-marketing/stop.json").read_bytes())
    resumed = json.loads((FIXTURES / "whatsapp-marketing/resume.json").read_bytes())
    later = resumed | {"from": stopped["from"], "createdAt": "2026-09-01T10:00:00.000+0000"}
    later["content"] = resumed["content"] | {name: stopped["content"][name] for name in ("sender", "from")}
    handle(desk, "whatsapp-marketing/stop.json")
    desk.post_body(json.dumps(later).encode(), "whatsapp")
    desk.drain()
    assert [row.state for row in desk.rows(suppressions)] == ["lifted"]


@pytest.mark.parametrize(
    ("fixture", "word"),
    [
        ("email-event/high-bounce-rate-blocked.json", "reputation"),
        ("template/rejected.json", "content"),
        ("whatsapp-identity/changed.json", "somebody else"),
    ],
)
def test_what_needs_a_person_opens_an_incident_at_once(desk: Desk, fixture: str, word: str) -> None:
    handle(desk, fixture)
    desk.fold()
    [incident] = desk.rows(incidents)
    assert incident.state == "open"
    assert word in incident.title


def test_a_restricted_sender_opens_an_incident_and_one_that_is_ready_does_not(desk: Desk) -> None:
    handle(desk, "platform/rcs-sender-status.json", "rcs")
    desk.fold()
    assert desk.rows(incidents) == []
    item = json.loads((FIXTURES / "platform/rcs-sender-status.json").read_bytes())["results"][0]
    desk.handle(item | {"senderStatus": "SUSPENDED"}, channel="rcs")
    desk.fold()
    assert ["sender" in row.title for row in desk.rows(incidents)] == [True]


def test_an_event_that_nobody_knows_is_kept_and_told_of_once(desk: Desk) -> None:
    for number in range(3):
        desk.handle({"event": "TELEPATHY_UPDATE", "messageId": f"t-{number}"}, channel="whatsapp")
    assert desk.rows(quarantine) == []
    assert len(desk.rows(reports)) == 3
    assert len(desk.fold()) == 1


def test_every_json_fixture_goes_through_the_whole_pipeline(desk: Desk) -> None:
    bodies = [path.read_bytes() for path in sorted(FIXTURES.glob("*/*.json")) if ".expected." not in path.name]
    different = {fingerprint(item.report) for body in bodies for item in read(body, "application/json", "auto").items}
    for body in bodies:
        desk.post_body(body, "auto")
    desk.drain()
    assert desk.rows(quarantine) == []
    assert len(desk.rows(reports)) == len(different)
