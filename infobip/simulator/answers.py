"""The 200 of each send endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codes import Row
from infobip.simulator.coding import written
from infobip.simulator.endpoints import Endpoint
from infobip.simulator.submission import Submission


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one message inside a 200."""

    submission: Submission
    message_id: str
    status: Row
    error: Row
    outcome: str


def answer_of(endpoint: Endpoint, verdicts: Sequence[Verdict], bulk_id: str) -> dict[str, Any]:
    """Return the body that this endpoint answers with; an empty `bulk_id` is left out."""
    found = [_message(endpoint, verdict) for verdict in verdicts]
    if endpoint.flat:
        return found[0]
    head = {"bulkId": bulk_id} if bulk_id else {}
    return {**head, "messages": found}


def bulk_id_of(endpoint: Endpoint, given: str, recipients: int, new: str) -> str:
    """Return the bulk id of a request: the sender's, or `new` where the endpoint makes one."""
    if given or endpoint.bulk == "never":
        return given
    return new if endpoint.bulk == "always" or recipients > 1 else ""


def _message(endpoint: Endpoint, verdict: Verdict) -> dict[str, Any]:
    name = endpoint.accepted_name if verdict.status.id == endpoint.accepted else ""
    found = {
        endpoint.address: verdict.submission.address,
        "messageId": verdict.message_id,
        "status": written(verdict.status, name),
    }
    if endpoint.has_count:
        found["messageCount"] = 1
    if endpoint.counts_parts:
        found["details"] = {"messageCount": verdict.submission.parts}
    return found
