"""Why a request does not reach Infobip, or its answer the application.

ProxyError                      a WebhookError, answered in the one shape of all errors
 ├── NotPermitted           403  the key is right and lacks the scope
 ├── BadPath                400  a path with `.` or `..` in it
 ├── BadDeclaration         400  an X-DLR header that cannot be read
 ├── SendTooLarge           413
 ├── Suppressed             422  somebody is suppressed, and the request is refused whole
 ├── NoBaseUrl              503  the key's account has no base URL
 ├── RegisterAway           503  the database is away, and sends must not pass unchecked
 ├── NeverLeft              502  Infobip cannot be reached: nothing was sent
 └── OutcomeUnknown         504  no answer: it may have been sent
"""

from typing import ClassVar

from webhook.errors import WebhookError


class ProxyError(WebhookError):
    """A request to `/proxy` that is not answered by Infobip."""

    code = "proxy"


class NotPermitted(ProxyError):
    """The key is known, and its scopes do not cover what it is used for."""

    code = "missing_scope"
    status = 403
    next_step = "Ask the operator for a key with that scope: dlr keys create --scope."


class BadPath(ProxyError):
    """A path that another server might read as another path."""

    code = "bad_path"
    next_step = "Write the path as Infobip documents it, without . and .. in it."


class BadDeclaration(ProxyError):
    """An X-DLR header that cannot be read. Nothing was sent."""

    code = "bad_declaration"
    next_step = "Correct the header and send it again: nothing has left."


class SendTooLarge(ProxyError):
    """The request is larger than anything that Infobip takes."""

    code = "request_too_large"
    status = 413
    next_step = "Send fewer messages in one request, or smaller attachments."


class Suppressed(ProxyError):
    """Somebody among the recipients is suppressed, and requests are refused whole. Nothing was sent."""

    code = "recipients_suppressed"
    status = 422
    next_step = "Leave these recipients out and send it again; `dlr suppress list` tells why."


class NoBaseUrl(ProxyError):
    """Nobody said where the account's requests go."""

    code = "no_base_url"
    status = 503
    next_step = "The operator sets DLR_INFOBIP_URL, or base_url in the file of DLR_ACCOUNTS."


class RegisterAway(ProxyError):
    """The database is away: opt-outs cannot be checked, and DLR_PROXY_FAIL_CLOSED forbids to go on without."""

    code = "register_away"
    status = 503
    next_step = "Send it again later: nothing has left. The operator runs `dlr doctor`."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "10"}


class NeverLeft(ProxyError):
    """Infobip could not be reached. It is proven that nothing was sent."""

    code = "not_sent"
    status = 502
    next_step = "Send it again: nothing has left."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "10"}


class OutcomeUnknown(ProxyError):
    """The request left, and no answer came: the messages may have been accepted."""

    code = "outcome_unknown"
    status = 504
    next_step = (
        "Do not send it again blindly: wait for the reports, or look the message ids up in Infobip's logs. "
        "What is sent again under the same message id is refused by Infobip where it had it."
    )
