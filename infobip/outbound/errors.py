"""What can be wrong with a request, an answer, a resend or a base URL. None of these texts holds an address or content.

OutboundError
|-- UnreadableSend      400  a request to a send endpoint that we cannot take apart
|-- UnreadableAnswer    502  an answer that is not what the endpoint documents
|-- CannotResend        409  this message must not or cannot be sent again
|   `-- TooLate         409  no time is left before its end
|-- BaseUrlRefused      400  a host that credentials must not travel to
`-- SubscriptionsRefused     a request to the Subscriptions API that did not do what it should
"""

from typing import ClassVar


class OutboundError(Exception):
    """Base of this room's errors. `str(error)` says what is wrong, without quoting the body."""

    code: ClassVar[str] = "outbound"
    """Stable name for programs."""
    status: ClassVar[int] = 400
    """The HTTP status to answer with, where an answer is ours to give."""
    next_step: ClassVar[str] = "Compare the request with Infobip's documentation."
    """What the person who sees it should do."""


class UnreadableSend(OutboundError):
    """The body is not JSON (or, for e-mail, multipart), or not in the endpoint's documented shape."""

    code = "unreadable_send"
    next_step = "Pass it on unread: Infobip judges it. It is not registered, so it is never resent."


class UnreadableAnswer(OutboundError):
    """The body of a 2xx is not in the endpoint's documented shape."""

    code = "unreadable_answer"
    status = 502
    next_step = "Look the messages up in Infobip's logs: they may have been accepted."


class CannotResend(OutboundError):
    """The message must not or cannot be sent again; the text says why."""

    code = "cannot_resend"
    status = 409
    next_step = "Let the application send it anew if it still matters."


class TooLate(CannotResend):
    """Too little time is left before the message's end for the shortest validity that Infobip takes."""

    code = "too_late"


class BaseUrlRefused(OutboundError):
    """The base URL names a host that credentials must not travel to."""

    code = "base_url_refused"
    next_step = (
        "Use the https://XXXXX.api.infobip.com address that the Infobip portal shows for the account, or add the "
        "host to the allowed ones."
    )


class SubscriptionsRefused(OutboundError):
    """The Subscriptions API did not do, or not provably do, what it was asked for."""

    code = "subscriptions_refused"
    status = 502

    def __init__(self, said: str, next_step: str, *, http: int | None = None, open_outcome: bool = False) -> None:
        """`open_outcome`: it may have been done all the same."""
        super().__init__(said)
        self.next_step = next_step  # type: ignore[misc]  # each cause has a step of its own
        self.http = http
        self.open_outcome = open_outcome
