"""What gunicorn refuses before Flask sees it, answered in the one shape of all errors.

Unparsed                     400  the bytes are no HTTP request
 ├── UrlTooLong              414
 ├── HeadersTooLarge         431
 ├── UnmetExpectation        417  an Expect header other than 100-continue
 └── UnknownTransfer         501  a Transfer-Encoding other than chunked
"""

import json
from http import HTTPStatus
from typing import Final

from gunicorn.http import errors as http

from webhook.errors import JSON, Internal, WebhookError, error_body


class Unparsed(WebhookError):
    """The bytes that came are no HTTP request."""

    code = "bad_request"
    next_step = "Check what the client sends, and what a proxy between makes of it; curl -v shows it."


class UrlTooLong(Unparsed):
    """The request line is longer than is read."""

    code = "url_too_long"
    status = 414
    next_step = "Use the URL that `dlr up` prints: it holds a channel and a token; all else belongs into the body."


class HeadersTooLarge(Unparsed):
    """There are more headers, or longer ones, than are read."""

    code = "headers_too_large"
    status = 431
    next_step = "Look at what a proxy adds: 100 headers of 8 KiB each are read, and Infobip sends a dozen."


class UnmetExpectation(Unparsed):
    """The client expects what this server does not do."""

    code = "unmet_expectation"
    status = 417
    next_step = "Send no Expect header, or Expect: 100-continue."


class UnknownTransfer(Unparsed):
    """The body's framing is none that is understood."""

    code = "unknown_transfer_coding"
    status = 501
    next_step = "Send the body with a Content-Length, or with Transfer-Encoding: chunked."


# The messages say what is wrong and quote nothing: what stands in a broken head may be a secret.
_REFUSALS: Final[dict[type[Exception], WebhookError]] = {
    http.LimitRequestLine: UrlTooLong("the request line is too long"),
    http.LimitRequestHeaders: HeadersTooLarge("there are too many headers, or one is too long"),
    http.ExpectationFailed: UnmetExpectation("the Expect header asks for something unknown"),
    http.UnsupportedTransferCoding: UnknownTransfer("the Transfer-Encoding is none that is understood"),
    # Of the application's own making, though their base class is the client's.
    http.InvalidResponseHeader: Internal("an unforeseen error; nothing was kept"),
    http.InvalidResponseHeaderName: Internal("an unforeseen error; nothing was kept"),
    http.InvalidRequestLine: Unparsed("the request line is not METHOD PATH HTTP/1.1"),
    http.InvalidRequestMethod: Unparsed("the method is none of HTTP"),
    http.InvalidHTTPVersion: Unparsed("the HTTP version is none that is understood"),
    http.InvalidHeaderName: Unparsed("the name of a header is malformed"),
    http.InvalidHeader: Unparsed("a header is malformed"),
    http.ObsoleteFolding: Unparsed("a header goes on in the next line"),
    http.InvalidSchemeHeaders: Unparsed("the headers of a proxy contradict one another"),
    http.ParseException: Unparsed("this is no HTTP request"),
}


def refusal_of(error: Exception) -> WebhookError:
    """Return how an error of gunicorn's parser, or any other outside Flask, is answered."""
    for kind in type(error).__mro__:
        if found := _REFUSALS.get(kind):
            return found
    return Internal("an unforeseen error; nothing was kept")


def whole_answer(refusal: WebhookError) -> bytes:
    """Return the answer as it goes over the wire. The connection ends with it."""
    body = json.dumps(error_body(refusal)).encode()
    headers = {"Content-Type": JSON, "Content-Length": str(len(body)), "Connection": "close", **refusal.headers}
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode("ascii") + body
