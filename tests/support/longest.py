"""The test files that take longest, by their place in this folder. Where processes share the tests, they come first.

Begun last, one of these would leave the other processes with nothing to do. Those that start many programs are apart.
"""

from typing import Final

LONGEST: Final = (
    "chaos/test_storm.py",
    "suppress/test_by_hand.py",
    "subscribe/test_rotation.py",
    "suppress/test_guard.py",
    "deploy/test_services.py",
    "sync/test_other_lists.py",
    "suppress/test_outages.py",
    "house/test_setup.py",
    "cli/test_retries.py",
    "replay/test_replay.py",
    "chaos/test_bad_days.py",
    "cli/test_doctor.py",
    "relay/test_side_by_side.py",
    "resend/test_pauses.py",
    "resend/test_outage.py",
    "relay/test_trouble.py",
    "sync/test_pulling.py",
    "resend/test_silence.py",
    "cli/test_evidence.py",
)
