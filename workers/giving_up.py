"""Which failures are the end of a message: nothing follows them, so nobody needs to know any more what it said."""

from typing import Final

from codes import Outcome
from codes.causes import OURS
from policy import Decision, Retry
from reports import Event
from workers.prepare import Prepared
from workers.register import Register

_OF_THE_COPY: Final = "duplicate"


def is_the_end(item: Prepared, decision: Decision, register: Register) -> bool:
    """Whether the message is given up with this report on it.

    Not where a person may put right what it was refused for (`dlr retries from-incident`), nor where nobody knows what
    a code means, nor where another leg may follow.
    """
    if not (item.message_key and item.trusted) or item.report.event is not Event.DELIVERY or item.meaning is None:
        return False
    if decision.outcome is not Outcome.FAILED or decision.find(Retry) is not None:
        return False
    if item.meaning.unknown or item.meaning.conflict or decision.cause in OURS or decision.cause == _OF_THE_COPY:
        return False
    return not register.may_follow(item)
