"""What the simulated Infobip does in a storm, and under which policy."""

from typing import Any, Final

ABSENT: Final = "EC_ABSENT_SUBSCRIBER"
WAVERING: Final = "4477012"
"""Numbers that begin so fail at first and opt out meanwhile."""
DYING: Final = "4477013"
"""Numbers that begin so fail at first; a second message, sent by `DEAD`, finds that nobody has the number any more."""
DEAD: Final = "Dead"
SLOW: Final = "a slow answer to a resend"
CONTROL: Final = "Later"
# Times of reports are simulated, and pass so many times as fast as real ones.
SPEED: Final = 20.0

POLICY: Final = """
version = 1
[modes]
retry = "act"
suppress = "act"
[limits]
settle = "1s"
jitter = 0.0
per_recipient_hour = 6
resends_per_day = 1000000
resends_share = 1.0
money_per_day = 1000000.0
pause_count = 1000000
guard_count = 1000000
[purposes]
default = {"*" = "transactional"}
[[rule]]
id = "soon"
match = { cause = ["recipient_unreachable"] }
why = "a test has no time to wait for a phone to come back"
retry = { delays = ["1s", "2s"], attempts = 2 }
"""


def scenario(seed: int) -> dict[str, Any]:
    """Return one: a third fails transiently, answers are lost or refused now and then, reports come twice and late."""
    first, resent, early = {"attempt": 1}, {"attempt": "2+"}, {"attempt": "2+", "request": 2}
    asked = {"attempt": 1, "request": 1}
    fails = [{"after": "3s", "error": ABSENT}]
    # 12 s, in which a lease ends: a report that came at once would hide what was forgotten.
    late = [{"after": "240s", "status": "DELIVERED_TO_HANDSET"}]
    rules = [
        _rule("control", {"sender": CONTROL}, reports=[{"after": "1s"}]),
        _rule("nobody has it", {"sender": DEAD}, reports=[{"after": "3s", "error": "EC_UNKNOWN_SUBSCRIBER"}]),
        _rule("a resend too many", {**early, "share": 0.05}, fault={"status": 429, "retry_after": "1s"}),
        _rule("a resend breaks", {**early, "share": 0.04}, fault={"status": 503}),
        _rule("a resend is lost", {**early, "share": 0.04}, fault={"drop": "before"}),
        _rule("the answer to a resend is lost", {**resent, "share": 0.06}, fault={"drop": "after"}),
        _rule(SLOW, {**resent, "share": 0.08}, slow="0.4s", reports=late),
        _rule("a report that is no help", {**resent, "share": 0.5}, reports=late),
        _rule("wavering", {**first, "prefix": [WAVERING]}, reports=fails),
        _rule("dying", {**first, "prefix": [DYING]}, reports=fails),
        _rule("a send too many", {**asked, "share": 0.02}, fault={"status": 429}),
        _rule("a send breaks", {**asked, "share": 0.02}, fault={"status": 503}),
        _rule("the answer to a send is lost", {**asked, "share": 0.02}, fault={"drop": "after"}),
        _rule("late", {**first, "share": 0.04}, reports=[*fails, {"after": "15s", "status": "DELIVERED_TO_HANDSET"}]),
        _rule("absent", {**first, "share": 0.33}, reports=fails),
        _rule("absent again", {"attempt": 2, "share": 0.25}, reports=fails),
        _rule("absent for ever", {"attempt": "3+", "share": 0.3}, reports=fails),
    ]
    return {
        "name": "a storm",
        "seed": seed,
        "rule": rules,
        "otherwise": [{"after": "5s", "status": "DELIVERED_TO_HANDSET"}],
        "posting": {"duplicates": 0.05, "out_of_order": 0.05, "bucket": 20},
        # A second submission under the same id is taken like the first: only our own care prevents it.
        "duplicate_ids": "accept",
        "logs_delay": "5s",
        "limits": False,
    }


def _rule(name: str, match: dict[str, Any], **what: Any) -> dict[str, Any]:
    return {"name": name, "match": match, **what}
