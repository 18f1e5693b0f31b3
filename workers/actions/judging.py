"""What an answer to something that was posted means."""

from datetime import datetime, timedelta
from typing import Final

from workers.actions.post import Answer
from workers.actions.results import Outcome, Result, retry_after

# The target asks for time or is in trouble; every other 4xx means the request itself.
_FOR_NOW: Final = frozenset({408, 425, 429})
_GONE: Final = 410
# How long a target is left alone that says it is gone, as Standard Webhooks ask for; a probe then asks once more.
GONE_FOR: Final = timedelta(hours=6)


def judge(answer: Answer, now: datetime) -> Result:
    """Return what an answer means."""
    status = answer.status
    wait = retry_after(answer.retry_after, now)
    if 200 <= status < 300:
        return Result(Outcome.DONE)
    if status in _FOR_NOW or status >= 500:
        return Result(Outcome.DOWN, f"it answered {status}", wait)
    if 300 <= status < 400:
        return Result(Outcome.REFUSED, f"it answered {status}, a redirect, and redirects are not followed", wait)
    return Result(Outcome.REFUSED, f"it answered {status}", wait)


def judge_endpoint(answer: Answer, now: datetime) -> Result:
    """Return what an answer of an endpoint for events means: there, 410 says that it wants nothing any more."""
    if answer.status == _GONE:
        return Result(Outcome.DOWN, "it answered 410: it wants no events any more", GONE_FOR)
    return judge(answer, now)
