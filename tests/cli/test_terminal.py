"""On a terminal of any width nothing is broken that a person would copy, and no line is wider than it."""

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from reports.states import Leg, State, leg_in_words
from store.messages import encode_legs
from store.schema import messages
from tests.support.desk import Desk, report
from tests.support.dlr import Dlr

ID = "a-message-id-of-some-length-0123456789"


WIDTHS = (60, 200)
SHOWN = ("reports", "suppress list", "quarantine list", "codes 27", "doctor", "explain --channel sms --error 1")
# All in one process: starting one for each would take longer than the rest of the test.
SHOW = f"""
import os
from tests.support.dlr import door
for width in {WIDTHS}:
    os.environ["COLUMNS"] = str(width)
    for words in {SHOWN}:
        door(words.split(), standalone_mode=False)
    print("----")
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_line_is_wider_than_the_terminal_and_no_id_is_broken(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report(ID, 9, 27), report("m-2", 9, 603, to="447700900456"))
    desk.post_body(b"?", undecoded=True)
    desk.drain()
    narrow, wide, _ = on_terminal(dlr, SHOW).split("----")
    for width, text in zip(WIDTHS, (narrow, wide), strict=True):
        # A path without a blank may have no place to break.
        assert [line for line in text.splitlines() if len(line) > width and " " in line.strip()] == [], width
        assert ID in text
        assert "EC_ABSENT_SUBSCRIBER" in text
    assert "┃ received" in wide
    assert "┃ received" not in narrow
    assert "cause: recipient_unreachable" in narrow


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_attempts_of_a_message_are_named_in_words(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-7", 9, 27))
    at = datetime(2026, 3, 9, 10, tzinfo=UTC)
    legs = encode_legs({"": Leg(State.FAILED, at), "#1": Leg(State.DELIVERED, at)})
    with desk.database.transaction() as connection:
        connection.execute(messages.update().values(legs=legs))
    show = "from tests.support.dlr import door\ndoor(['message', 'm-7'], standalone_mode=False)"
    assert "legs: the original failed, attempt 1 delivered" in " ".join(on_terminal(dlr, show).split())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "the original"),
        ("RCS", "RCS"),
        ("#2", "attempt 2"),
        ("#1 VIBER", "attempt 1 on VIBER"),
        ("unauthenticated", "the original (unauthenticated)"),
        ("unauthenticated #1 SMS", "attempt 1 on SMS (unauthenticated)"),
    ],
)
def test_a_leg_is_said_by_attempt_and_channel(name: str, said: str) -> None:
    assert leg_in_words(name) == said


def on_terminal(dlr: Dlr, code: str) -> str:
    """Return what a program shows on a terminal, without its colours."""
    main, side = pty.openpty()
    environment = os.environ | dlr.settings | {"TERM": "xterm", "PYTHONPATH": "."}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=side, stderr=side, stdin=side, env=environment)
    os.close(side)
    found = b""
    try:
        while content := os.read(main, 65536):
            found += content
    except OSError:
        pass  # how a terminal says that the other side is gone
    os.close(main)
    assert process.wait(60) == 0, found.decode()
    return re.sub(r"\x1b\[[0-9;]*m", "", found.decode())
