"""What an application says of a send in headers of ours, which are not passed on."""

import json
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import Headers

from infobip.inbound import dates
from infobip.outbound import CannotResend, convert
from webhook.opinions import PURPOSES
from webhook.proxy.errors import BadDeclaration
from webhook.proxy.order import Declared

_FORM = 'X-DLR-Fallback is no {"channel": "voice", "endpoint": "/tts/3/advanced", "body": {...}} in one line'


def read_declared(headers: Headers, *, people: int) -> Declared:
    """Return what the headers of a request to `people` recipients say. Raises `BadDeclaration`."""
    purpose = headers.get("X-DLR-Purpose", "").strip().lower()
    if purpose and purpose not in PURPOSES:
        raise BadDeclaration(f"X-DLR-Purpose is none of {', '.join(PURPOSES)}")
    written = headers.get("X-DLR-Not-After", "").strip()
    moment = dates.parse(written) if written else None
    if written and moment is None:
        raise BadDeclaration("X-DLR-Not-After is no point in time such as 2026-11-24T10:00:00Z")
    given = headers.get("X-DLR-Fallback", "").strip()
    return Declared(purpose, moment, _fallback(given, people) if given else None)


def _fallback(given: str, people: int) -> Mapping[str, Any]:
    if people != 1:
        raise BadDeclaration(f"X-DLR-Fallback is for one recipient, and the request has {people}")
    try:
        told = json.loads(given)
        if not isinstance(told, dict):
            raise BadDeclaration(_FORM)
        return {**told, "channel": convert(told).channel}
    except CannotResend as error:
        raise BadDeclaration(f"X-DLR-Fallback cannot be used: {error}") from None
    except (ValueError, RecursionError):
        raise BadDeclaration(_FORM) from None
