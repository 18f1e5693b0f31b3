"""Why a request is not answered with 200, and the one JSON shape that every such answer has.

WebhookError
 ├── Refused
 │    ├── Unauthenticated   401  it came without any credentials
 │    └── Forbidden         403  it came with credentials, and no set of checks passed
 ├── TooLarge               413  the body is beyond the limit, as sent or once unpacked
 ├── Incomplete             408  the body ended before its announced length, or took too long
 ├── Unpackable
 │    ├── BadCompression    400  it says gzip and is none, or only a part of one
 │    └── UnknownEncoding   415  its Content-Encoding is none that is understood
 ├── NotKept                503  the database could not commit: nothing was kept, send it again
 ├── NoSuchPage             404
 ├── WrongMethod            405
 ├── BadRequest             400  what the HTTP library refuses
 └── Internal               500

`infobip.inbound.errors.InboundError` (400, 415) has the same three attributes and is answered in the same shape.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from flask import Flask, Response, current_app, g, has_request_context, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from config.logs import log
from infobip.inbound import InboundError

JSON: Final = "application/json"
POST_WHAT: Final = (
    "Send POST /webhook/CHANNEL/TOKEN (or /webhook/t/TOKEN for any channel) with the body of an Infobip delivery "
    "report; CHANNEL is a name such as sms, email, voice, whatsapp, viber, rcs or push."
)
_ELSEWHERE: Final = (
    "/proxy and /api have an address of their own: DLR_PROXY_BIND, which is 127.0.0.1:8090 unless it was changed. "
)
_NEXT_STEPS: Final = "dlr.next_steps"
_log = log(__name__)


class WebhookError(Exception):
    """A request that is not answered with 200. `str(error)` is for the caller and tells no secret."""

    code: ClassVar[str] = "webhook"
    """Stable name for programs."""
    status: ClassVar[int] = 400
    """The HTTP status to answer with."""
    next_step: ClassVar[str] = "Look into the service's log, which says more."
    """What the person who sees it should do."""
    headers: ClassVar[dict[str, str]] = {}
    """Further headers of the answer."""


class Refused(WebhookError):
    """No set of checks passed. The answer never says which check failed; the log does."""

    code = "refused"
    status = 403


class Unauthenticated(Refused):
    """The request came without any credentials."""

    code = "unauthenticated"
    status = 401
    next_step = "Use the whole URL that `dlr up` prints, with its token, or the credentials that were set up."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": 'Basic realm="callbacks", charset="UTF-8"'}


class Forbidden(Refused):
    """The request came with credentials, and they do not suffice."""

    code = "forbidden"
    next_step = "Ask the operator: the service's log names the setting and what would have matched."


class TooLarge(WebhookError):
    """The body is larger than the limit."""

    code = "too_large"
    status = 413
    next_step = "Lower maxBucketSize in the Infobip notification profile, or raise DLR_MAX_BODY_MB."


class Incomplete(WebhookError):
    """The body did not come whole in time."""

    code = "incomplete_body"
    status = 408
    next_step = "Send it again, whole. If a proxy stands between, look at its time-outs and size limits."


class Unpackable(WebhookError):
    """The body cannot be brought to its plain form."""

    code = "unpackable"


class BadCompression(Unpackable):
    """The body is not the gzip that it begins as."""

    code = "bad_compression"
    next_step = "Check that no proxy cuts or recompresses the body."


class UnknownEncoding(Unpackable):
    """The Content-Encoding is neither gzip nor identity."""

    code = "unknown_encoding"
    status = 415
    next_step = "Send the body plain or as gzip."


class NotKept(WebhookError):
    """The database could not commit."""

    code = "not_kept"
    status = 503
    next_step = "Send it again: Infobip does so by itself. The operator runs `dlr doctor`."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "10"}


class NoSuchPage(WebhookError):
    """There is nothing at this path."""

    code = "no_such_page"
    status = 404
    next_step = POST_WHAT


class WrongMethod(WebhookError):
    """The path is right and the method is not."""

    code = "wrong_method"
    status = 405
    next_step = POST_WHAT


class BadRequest(WebhookError):
    """The HTTP library refuses the request."""

    code = "bad_request"
    next_step = "Check what the client sends; curl -v shows it."


class Internal(WebhookError):
    """Our own mistake."""

    code = "internal"
    status = 500
    next_step = "Send it again: Infobip does so by itself. The operator finds the cause in the service's log."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "10"}


def error_body(error: WebhookError | InboundError) -> dict[str, Any]:
    """Return the one shape of all errors."""
    return {"error": {"code": error.code, "message": str(error) or error.code, "next_step": _next_step(error)}}


def _next_step(error: WebhookError | InboundError) -> str:
    """Return what to do, as this address puts it: what is posted elsewhere than to the endpoint is no callback."""
    if not has_request_context():
        return error.next_step
    steps: Mapping[str, str] = current_app.extensions.get(_NEXT_STEPS, {})
    if error.code in steps:
        return steps[error.code]
    is_lost = isinstance(error, NoSuchPage | WrongMethod) and request.path.startswith(("/api", "/proxy"))
    return f"{_ELSEWHERE}{error.next_step}" if is_lost else error.next_step


def error_answer(error: WebhookError | InboundError) -> Response:
    """Return the answer to a request that ends with `error`."""
    g.error = error.code
    answer = Response(json.dumps(error_body(error)), error.status, mimetype=JSON)
    if isinstance(error, WebhookError):
        answer.headers.update(error.headers)
    return answer


def register_errors(app: Flask, next_steps: Mapping[str, str] = MappingProxyType({})) -> None:
    """Answer every error of `app`, foreseen or not, in the one shape.

    `next_steps` are told instead of an error's own, by its code, where the application takes no callbacks.
    """
    app.extensions[_NEXT_STEPS] = next_steps
    app.register_error_handler(WebhookError, error_answer)
    app.register_error_handler(InboundError, error_answer)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def _http(error: HTTPException) -> Response:
    if isinstance(error, NotFound):
        return error_answer(NoSuchPage("there is nothing at this path"))
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        answer = error_answer(WrongMethod(f"{request.method} does nothing here: use {allowed or 'another method'}"))
        answer.headers["Allow"] = allowed
        return answer
    answer = error_answer(BadRequest(error.name))
    answer.status_code = error.code or 400
    return answer


def _unforeseen(error: Exception) -> Response:
    _log.error("a request ended in an unforeseen error", exc_info=error)
    is_endpoint = not current_app.extensions.get(_NEXT_STEPS)
    return error_answer(Internal("an unforeseen error" + ("; nothing was kept" if is_endpoint else "")))
