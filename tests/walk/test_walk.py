"""From an HTTP post to a stored decision, through real processes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from store.schema import decisions, inbox, messages, reports
from tests.support import postgres
from tests.support.desk import report
from tests.support.stack import Stack, running, wait_for


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {}
    if request.param == "postgresql":
        settings["DLR_DATABASE_URL"] = postgres.new_database(request.getfixturevalue("postgres_url"))
    with running(tmp_path_factory.mktemp("walk"), **settings) as running_stack:
        yield running_stack


def decision_on(stack: Stack, message_id: str) -> str:
    """Wait until the message is decided on; return the rule."""

    def rule() -> str:
        known = {row.key: row.message_id for row in stack.rows(messages)}
        rules = {row.report_id: row.rule for row in stack.rows(decisions)}
        return next((rules[row.id] for row in stack.rows(reports) if known.get(row.message_key) == message_id), "")

    return wait_for(rule, f"a decision on {message_id}", 20)


def test_a_json_callback_becomes_a_decision(stack: Stack) -> None:
    status, answer, _ = stack.post_items(report("walk-json", 9, 27))
    assert (status, answer["received"], answer["accepted"], answer["quarantined"]) == (200, 1, 1, [])
    assert decision_on(stack, "walk-json") == "unreachable"


def test_an_xml_callback_becomes_a_decision(stack: Stack) -> None:
    body = (
        "<DeliveryReports><results><result><messageId>walk-xml</messageId><to>447700900124</to>"
        "<doneAt>2026-03-09T10:00:00.000+0000</doneAt><status><id>12</id><groupId>5</groupId></status>"
        "<error><id>0</id></error></result></results></DeliveryReports>"
    )
    assert stack.post(body.encode(), content_type="application/xml")[0] == 200
    assert decision_on(stack, "walk-xml") == "account-funds"


def test_a_form_callback_becomes_a_decision(stack: Stack) -> None:
    result = report("walk-form", 9, 10200, to="447700900125", sender=None, mccMnc=None)
    body = urlencode({"results": json.dumps([result])}).encode()
    assert stack.post(body, "voice", "application/x-www-form-urlencoded")[0] == 200
    assert decision_on(stack, "walk-form") == "no-answer"


def test_every_callback_is_done_and_none_waits(stack: Stack) -> None:
    stack.post_items(*[report(f"walk-many-{number}", 5) for number in range(150)])
    wait_for(lambda: {row.state for row in stack.rows(inbox)} == {"done"}, "the inbox to be empty", 20)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_no_secret_stands_in_a_command_line_or_a_log(stack: Stack) -> None:
    token = stack.token
    assert not [line for line in stack.lines if token in line or "447700900123" in line]
    for pid in stack.pids.values():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        assert token not in command
    assert os.stat(stack.state_dir).st_mode & 0o777 == 0o700
