"""What the Subscriptions Management API accepts (OUTBOUND facts 5), as marshmallow schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from infobip.simulator.errors import Refusal
from infobip.simulator.signing import ALGORITHMS, TYPES

_ID = validate.Regexp(r"[A-Za-z0-9._~-]{1,255}\Z", error="must be 1 to 255 characters that a URL may hold")


class _Open(Schema):
    class Meta:
        unknown = INCLUDE  # as with Infobip, a member that is not known does no harm


def _range(least: int, most: int) -> fields.Integer:
    return fields.Integer(
        strict=True, validate=validate.Range(least, most, error=f"must be between {least} and {most}")
    )


class SecuritySchema(_Open):
    """A security setting."""

    authId = fields.String(required=True, validate=_ID)  # noqa: N815 - Infobip's name
    type = fields.String(required=True, validate=validate.OneOf(TYPES, error=f"must be one of {', '.join(TYPES)}"))
    credentials = fields.Dict(load_default=dict)

    @validates_schema(skip_on_field_errors=True)
    def _complete(self, data: dict[str, Any], **kwargs: Any) -> None:
        needed = {
            "BASIC": ("username", "password"),
            "HMAC": ("secretKey", "algorithm"),
            "OAUTH": ("tokenUrl", "grantType"),
        }
        missing = [name for name in needed.get(data["type"], ()) if not data["credentials"].get(name)]
        if missing:
            raise ValidationError({f"credentials.{name}": ["must not be blank"] for name in missing})
        if data["type"] == "HMAC" and data["credentials"]["algorithm"] not in ALGORITHMS:
            raise ValidationError({"credentials.algorithm": [f"must be one of {', '.join(ALGORITHMS)}"]})


class WebhookSchema(_Open):
    """Where a profile posts to."""

    notifyUrl = fields.String(  # noqa: N815 - Infobip's name
        required=True,
        validate=[
            validate.Regexp(r"https?://", error="is not a valid url"),
            validate.Length(max=512, error="size must be between 1 and 512"),
        ],
    )


class ProfileSchema(_Open):
    """A notification profile."""

    profileId = fields.String(required=True, validate=_ID)  # noqa: N815
    webhook = fields.Nested(WebhookSchema, required=True)
    security = fields.Dict()
    maxBucketSize = _range(1, 2000)  # noqa: N815
    windowSize = _range(20, 10000)  # noqa: N815
    connectTimeout = _range(300, 30000)  # noqa: N815
    readTimeout = _range(1000, 90000)  # noqa: N815
    rateLimit = _range(1, 5000)  # noqa: N815
    headers = fields.Dict(fields.String(), fields.String())


class ProfileRefSchema(_Open):
    """A profile inside a subscription: its id alone, or all of it."""

    profileId = fields.String(required=True, validate=_ID)  # noqa: N815


class SubscriptionSchema(_Open):
    """A subscription."""

    subscriptionId = fields.String(required=True, validate=_ID)  # noqa: N815
    name = fields.String()
    events = fields.List(fields.String(), required=True, validate=validate.Length(min=1, error="must not be empty"))
    criteria = fields.List(fields.Dict(fields.String(), fields.String()))
    resources = fields.List(fields.String())
    users = fields.List(fields.String())
    profile = fields.Nested(ProfileRefSchema, required=True)


def checked(schema: Schema, body: Any, prefix: str = "") -> dict[str, Any]:
    """Return a valid body. Raises `Refusal` with each fault under its property."""
    if not isinstance(body, Mapping):
        raise Refusal(400, faults={prefix.rstrip(".") or "request": "must be an object"})
    try:
        found: dict[str, Any] = schema.load(dict(body))
    except ValidationError as error:
        raise Refusal(400, faults=dict(_flat(error.messages, prefix.rstrip(".")))) from None
    return found


def _flat(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            below = f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}" if path else str(name)
            yield from _flat(inner, path if name == "_schema" else below)
    else:
        yield path, "; ".join(map(str, messages))
