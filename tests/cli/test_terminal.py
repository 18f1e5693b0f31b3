"""On a terminal of any width nothing is broken that a person would copy, and no line is wider than it."""

import os
import pty
import re
import subprocess
import sys

import pytest

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
