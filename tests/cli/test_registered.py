"""What the register of sends alone knows of a message: a look-up tells it, too."""

from datetime import UTC, datetime
from typing import Any

import pytest

from store import sends
from store.messages import key_of
from store.sends import Send
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

AT = datetime(2026, 3, 9, 9, 59, tzinfo=UTC)


def sent(desk: Desk, message_id: str, state: str, *, to: str = PERSON, **more: Any) -> None:
    """Register a send as the pass-through does."""
    recipient = desk.vault.hash_address("main", to)
    key = key_of(desk.vault, "main", message_id, to)
    known: dict[str, Any] = {"origin": "proxy", "sender": "Shop", "purpose": "otp"}
    row = Send(
        key=key,
        account="main",
        message_id=message_id,
        recipient=recipient,
        channel="sms",
        sent_at=AT,
        state=state,
        **(known | more),
    )
    with desk.database.transaction() as connection:
        sends.register(connection, [row], AT)


def test_a_send_that_was_refused_here_is_told_with_the_reason_and_what_stands_against_it(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("before", 9, 1))
    sent(desk, "m-1", sends.REFUSED, obstacle="it was not sent: the recipient is suppressed (recipient_unknown)")
    [head, *lines] = dlr.lines("message", "m-1")
    assert head == ["message", "m-1", "…23", "sms", "Shop", "main", "refused"]
    by_label = {line[1]: line for line in lines}
    assert by_label["sent"][:3] == [
        "2026-03-09 09:59:00Z",
        "sent",
        "refused: it was not sent: the recipient is suppressed (recipient_unknown)",
    ]
    assert "recipient_unknown" in by_label["recipient"][3]
    [told] = dlr.json("message", "m-1")["messages"]
    assert (told["state"], told["reports"], told["send"]["origin"]) == ("refused", [], "proxy")
    assert PERSON not in dlr("message", "m-1", "--format", "json")
    assert PERSON in dlr("message", "m-1", "--reveal")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (sends.ACCEPTED, "Infobip took it; no report has come yet"),
        (sends.REFUSED, "Infobip refused it"),
        (sends.UNKNOWN, "no answer came, so nobody knows whether Infobip has it"),
        (sends.INTENT, "it is about to leave"),
        (sends.NOT_SENT, "it did not reach Infobip"),
        (sends.TOLD, "the application says so; no report has come yet"),
    ],
)
def test_every_state_of_the_register_is_told_in_words(desk: Desk, dlr: Dlr, state: str, words: str) -> None:
    sent(desk, "m-1", state)
    [head, line] = dlr.lines("message", "m-1")
    assert words in line[2]
    assert head[2] == "(address not kept)"


def test_once_a_report_has_come_the_send_stands_at_the_beginning_of_the_story(desk: Desk, dlr: Dlr) -> None:
    sent(desk, "m-1", sends.ACCEPTED)
    desk.handle(report("m-1", 5))
    [head, first, second, *_] = dlr.lines("message", "m-1")
    assert head[-1] == "delivered"
    assert (first[1], second[1]) == ("sent", "report")
    assert "no report" not in first[2]
    [told] = dlr.json("message", "m-1")["messages"]
    assert told["send"]["state"] == "accepted"


def test_of_another_account_nothing_is_told(desk: Desk, dlr: Dlr) -> None:
    sent(desk, "m-1", sends.ACCEPTED)
    desk.handle(report("m-2"), account="shop")
    assert "Nothing is known" in dlr.fails("message", "m-1", "--account", "shop")


def test_the_evidence_says_why_a_send_was_refused(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("before", 9, 1))
    sent(desk, "m-1", sends.REFUSED, obstacle="it was not sent: the recipient is suppressed (recipient_unknown)")
    sent(desk, "m-2", sends.ACCEPTED, obstacle="it cannot be sent again")
    text = dlr("evidence", PERSON)
    assert "m-1 by sms: refused: it was not sent: the recipient is suppressed (recipient_unknown);" in text
    assert "m-2 by sms: accepted;" in text
    by_id = {send["message_id"]: send for send in dlr.json("evidence", PERSON)["sends"]}
    assert by_id["m-1"]["obstacle"].startswith("it was not sent")
