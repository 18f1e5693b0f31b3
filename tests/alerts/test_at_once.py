"""What needs a person whatever its number opens an incident with the very first report, and says what to do."""

import json

import pytest

from codes import shipped
from store.database import Database
from store.schema import incidents
from store.vault import Vault
from tests.support.desk import desk as make_desk
from tests.support.desk import report


@pytest.mark.parametrize(
    ("what", "channel", "status", "error"),
    [
        ("no credit", "sms", 12, 0),
        ("package over", "sms", 17, 0),
        ("access denied", "sms", 9, 433),
        ("sender not registered", "whatsapp", 9, 7034),
        ("domain unverified", "email", 9, 6036),
        ("provider denies access", "email", 9, 6053),
        ("certificate refused", "push", 9, 8007),
    ],
)
def test_one_report_is_enough_for_what_never_passes_by_itself(
    database: Database, vault: Vault, what: str, channel: str, status: int, error: int
) -> None:
    desk = make_desk(database, vault)
    to = "jo@example.com" if channel == "email" else "447700900123"
    desk.handle(report("m-1", status, error, to=to), channel=channel)
    [told] = desk.fold()
    assert (told.change, told.severity) == ("opened", "critical"), what
    [incident] = desk.rows(incidents)
    assert incident.state == "open"
    kind, number = ("error", error) if error else ("status", status)
    advice = {row.advice for row in shipped().tables.rows if (row.kind, row.id) == (kind, number)}
    assert any(one in told.next_step for one in advice), told.next_step
    assert "447700900123" not in incident.examples
    assert "jo@example.com" not in incident.examples


def test_each_template_that_a_platform_stops_is_an_incident_of_its_own(database: Database, vault: Vault) -> None:
    desk = make_desk(database, vault)
    for number, (name, language) in enumerate(
        [("spring_offer", "en"), ("order_shipped", "en"), ("order_shipped", "de")]
    ):
        change = {"type": "TEMPLATE_STATUS_UPDATE", "newStatus": "REJECTED", "reason": "INVALID_FORMAT"}
        told = {"messageTemplateId": f"7000{number}", "messageTemplateName": name, "messageTemplateLanguage": language}
        body = {**told, "change": change, "timestamp": f"2026-03-09T10:0{number}:00.000+0000"}
        desk.post_body(json.dumps(body).encode(), "whatsapp")
    desk.drain()
    opened = desk.fold()
    titles = sorted(one.title for one in opened)
    assert len(titles) == 3
    for title, name in zip(titles, ("order_shipped de", "order_shipped en", "spring_offer en"), strict=True):
        assert f"template {name}" in title
