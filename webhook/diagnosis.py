"""Why was it refused? What would have matched, for the operator's log and never for the caller.

Infobip does not document its signature header. Whoever sets HMAC up guesses header, algorithm, encoding and prefix; one
refused callback is enough to tell all four.
"""

import hmac
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from werkzeug.datastructures import Headers

from config.hmac_keys import HmacKeys
from webhook.auth import Guard
from webhook.body import MIB, Body, unpack
from webhook.checks import ALGORITHMS, ENCODINGS, Presented
from webhook.errors import WebhookError

MOST: Final = MIB
"""Larger bodies are not diagnosed: six digests over each would be felt."""
_PREFIX: Final = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]{0,15}[= ]")
_TELLING: Final = re.compile(r"sign|hmac|hub|secret|auth|digest", re.IGNORECASE)
_LENGTHS: Final = frozenset(ALGORITHMS.values())


def diagnose(guard: Guard, presented: Presented, body: Body, encoding: str, secret: HmacKeys) -> str:
    """Return in words what would have matched; names of headers and settings only, no value of any."""
    passing = [name for name in guard.checks if name != "hmac" and guard.checks[name](presented)]
    found = [f"the check {name} alone would pass" for name in passing]
    raw = body.peek(MOST) if secret else None
    if raw is not None:
        found += islice(_signatures(presented.headers, raw, encoding, secret), 1)
    if found:
        return "; ".join(found)
    telling = sorted(name for name, _ in presented.headers if _TELLING.search(name))
    seen = f"; headers that may carry credentials: {', '.join(telling)}" if telling else ""
    return f"nothing that came would match{seen}"


def _signatures(headers: Headers, raw: bytes, encoding: str, secret: HmacKeys) -> Iterator[str]:
    candidates = [(name, *found) for name, value in headers.items() for found in _digests(value.strip())]
    if not candidates:
        return
    for over, content in _contents(raw, encoding):
        for algorithm in ALGORITHMS:
            right = [hmac.digest(key.encode(), content, algorithm) for key in secret.values()]
            for name, prefix, form, digest in candidates:
                if any(hmac.compare_digest(digest, one) for one in right):
                    yield (
                        f"the HMAC{over} would match with DLR_HMAC_HEADER={name.lower()} "
                        f"DLR_HMAC_ALGORITHM={algorithm} DLR_HMAC_ENCODING={form} DLR_HMAC_PREFIX={prefix}"
                    )


def _contents(raw: bytes, encoding: str) -> Iterator[tuple[str, bytes]]:
    yield "", raw
    try:
        plain = unpack(raw, encoding, MOST)
    except WebhookError:
        return
    if plain != raw:
        yield " over the unpacked body (a proxy must pass it on as it came)", plain


def _digests(value: str) -> Iterator[tuple[str, str, bytes]]:
    """Return the digests that a header's value may be: (prefix, encoding, bytes)."""
    prefixes = [""]
    prefix = _PREFIX.match(value)
    if prefix is not None and len(value) < 200:
        prefixes.append(prefix[0])
    for start in prefixes:
        for form, decode in ENCODINGS.items():
            digest = decode(value[len(start) :].strip())
            if digest is not None and len(digest) in _LENGTHS:
                yield start, form, digest
