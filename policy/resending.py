"""Whether and when a rule sends a message again."""

from typing import Final

from codes import Match, Outcome
from codes.causes import FIRM
from codes.channels import UNKNOWN
from policy import words
from policy.decision import Retry
from policy.question import Question
from policy.schedule import plan

# No resend, failover or call to the application follows one of these, whatever a rule says.
NEVER_RESENT: Final = FIRM | {"recipient_blocklisted", "fraud_blocked", "unconfirmed", "duplicate", "delivered"}
# It is enough that one of the two codes says so, whichever gives the cause. Error 0 has the cause `delivered`.
_OBJECTIONS: Final = NEVER_RESENT - {"delivered"}


def retry_of(asked: Question) -> Retry | None:
    """Return the resend that the rule asks for; where there is none, the notes say why."""
    wanted = asked.rule.retry
    if wanted is None:
        return None
    obstacle = _obstacle(asked)
    if obstacle:
        asked.notes.append(f"it is not sent again, since {obstacle}")
        return None
    found = plan(asked.report, asked.history, asked.purpose, wanted, asked.rules.limits, asked.moment)
    if not found.named:
        asked.notes.append(f"it is not sent again, since {found.note}")
        return None
    return Retry(
        rule=asked.rule.id,
        mode=asked.rules.modes["retry"],
        attempt=found.attempt,
        attempts=wanted.attempts,
        due_at=found.due_at,
        give_up_at=found.give_up_at,
        schedule=words.schedule(wanted),
        pause=wanted.pause,
        channel=wanted.channel,
        note=found.note,
    )


def _obstacle(asked: Question) -> str:
    """Say why nothing may be resent whatever the rule says, or return the empty string."""
    meaning, history = asked.meaning, asked.history
    if meaning.unknown:
        return "one of its codes is not in the tables"
    if not history.trusted:
        return "the callback was not authenticated"
    if meaning.channel == UNKNOWN:
        return "nobody named the channel it came by"
    if meaning.conflict:
        return "its codes contradict each other"
    if meaning.cause in NEVER_RESENT or _objects(meaning.status) or _objects(meaning.error):
        return "no resend ever follows this cause"
    if asked.outcome is not Outcome.FAILED:
        return "it did not fail for good"
    if history.reached:
        return "another attempt arrived already"
    if history.open_legs:
        return "a further leg of the failover is still to come"
    if history.obstacle:
        return history.obstacle
    return ""


def _objects(match: Match) -> bool:
    return match.row is not None and match.row.cause in _OBJECTIONS
