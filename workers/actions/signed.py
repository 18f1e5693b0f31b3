"""Requests to the customer's own URLs, signed as Standard Webhooks specify."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from standardwebhooks import Webhook

_AGENT: Final = "dlr"


def body_of(kind: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """Return the body: what happened, when, and its data."""
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"type": kind, "timestamp": stamp, "data": data}
    # A lone surrogate, which strange input may bring, has no bytes; escaped it is valid JSON.
    return json.dumps(content, separators=(",", ":")).encode("ascii")


def signed(secrets: Sequence[str], webhook_id: str, now: datetime, body: bytes) -> list[tuple[str, str]]:
    """Return the headers of one attempt. Each live secret signs, so that a receiver may change over at any moment.

    `webhook_id` stays the same at every repetition: it is what the receiver tells them by.
    """
    text = body.decode("ascii")
    signatures = [Webhook(secret).sign(webhook_id, now, text) for secret in secrets]
    return [
        ("Content-Type", "application/json"),
        ("User-Agent", _AGENT),
        ("webhook-id", webhook_id),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", " ".join(signatures)),
    ]
