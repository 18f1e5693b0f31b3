"""One message to one recipient, whatever endpoint it came in by."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

_GSM_PART: Final = (160, 153)
_UNICODE_PART: Final = (70, 67)


@dataclass(frozen=True)
class Webhook:
    """Where and how the sender wants reports; empty texts where it did not say."""

    url: str = ""
    seen_url: str = ""
    content_type: str = ""
    intermediate: bool = False
    notify: bool = True
    callback_data: str = ""


@dataclass(frozen=True)
class Submission:
    """One message to one recipient. `content` is as it was sent; texts that were not given are empty.

    `leg` is our slug of the channel that it goes by, which differs from the endpoint's for Messages API and OMNI, and
    `own_channel` the name which Infobip has for it. `address` is what the answer repeats: a text, or OMNI's object.
    """

    recipient: str
    content: Any
    message_id: str = ""
    sender: str = ""
    leg: str = ""
    own_channel: str = ""
    address: Any = ""
    webhook: Webhook = field(default_factory=Webhook)
    application: str = ""
    entity: str = ""
    campaign: str = ""
    has_failover: bool = False
    send_at: datetime | None = None
    id_group: str = ""
    """Recipients of one group have one message id (e-mail with `preserveRecipients`); without a name there is none."""

    @cached_property
    def content_hash(self) -> str:
        """What tells equal contents, in 16 hexadecimal digits."""
        canonical = json.dumps(self.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def text(self) -> str:
        """The text of the message, where it has one."""
        if not isinstance(self.content, dict):
            return ""
        body = self.content.get("body", self.content)
        return str(body.get("text") or "") if isinstance(body, dict) else ""

    @property
    def parts(self) -> int:
        """How many parts of a text message it makes."""
        whole, part = _GSM_PART if self.text.isascii() else _UNICODE_PART
        return 1 if len(self.text) <= whole else -(-len(self.text) // part)


@dataclass(frozen=True)
class Batch:
    """What one request asks for."""

    submissions: tuple[Submission, ...]
    bulk_id: str = ""
