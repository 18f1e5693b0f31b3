"""Why a request to `/api` is refused as a whole.

ApiError                    a WebhookError, answered in the one shape of all errors
 ├── NoKey              401  no key, or none that is live
 ├── KeyLacksScope      403
 ├── NotJsonObject      400  the body is no JSON object
 ├── BadIds             422  the ids of incidents cannot be read
 ├── NothingGood        422  no entry of it can be kept; `refused` says why of each
 ├── TooMany            413  more entries than one request may have
 ├── NoEntries          400  the body has no list of entries
 └── NotAnswered        503  the database is away, so nobody knows
"""

from typing import Any, ClassVar

from webhook.errors import WebhookError


class ApiError(WebhookError):
    """A request to the API that is refused."""

    code = "api"


class NoKey(ApiError):
    """There is no Authorization header with a live key."""

    code = "no_key"
    status = 401
    next_step = "Send Authorization: Bearer KEY; `dlr keys create` makes one."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": 'Bearer realm="api"'}


class KeyLacksScope(ApiError):
    """The key is known, and its scopes do not cover this."""

    code = "scope_missing"
    status = 403
    next_step = "Ask the operator for a key with that scope: dlr keys create --scope."


class NotJsonObject(ApiError):
    """The body cannot be read."""

    code = "not_json"
    next_step = "Send a JSON object with Content-Type: application/json."


class BadIds(ApiError):
    """What should be ids is none."""

    code = "bad_ids"
    status = 422
    next_step = 'Send {"ids": ["..."]} with ids as `dlr incidents list` prints them, as texts.'


class NothingGood(ApiError):
    """Every entry has a fault."""

    code = "nothing_registered"
    status = 422
    next_step = "Correct the entries as `refused` says."

    def __init__(self, message: str, refused: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.refused = refused


class TooMany(ApiError):
    """More entries than one request may have."""

    code = "too_many"
    status = 413
    next_step = "Send them in several requests."


class NoEntries(ApiError):
    """The body is neither one entry nor a list of them."""

    code = "no_entries"
    next_step = 'Send {"entries": [...]}, or one entry as the whole body.'


class NotAnswered(ApiError):
    """The database cannot be asked."""

    code = "unavailable"
    status = 503
    next_step = "Ask again in a few seconds; send nothing to people who may have opted out meanwhile."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}
