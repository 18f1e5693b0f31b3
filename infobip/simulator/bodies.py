"""A list of items as the body of a callback."""

import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from infobip.simulator.shapes import LOOKS

# XML 1.0 has no way to write these.
_UNWRITABLE: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

JSON: Final = "application/json"
XML: Final = "application/xml"


def content_type_of(look: str, wished: str) -> str:
    """Return the form in which reports of a shape go out: XML only where it is wished and there is one."""
    return XML if wished == XML and LOOKS[look].root else JSON


def body_of(look: str, content_type: str, items: Sequence[dict[str, Any]]) -> bytes:
    """Return the body with these items."""
    if content_type == XML:
        found = LOOKS[look]
        inner = "".join(_element(found.child, item) for item in items)
        head = '<?xml version="1.0" encoding="UTF-8"?>'
        return f"{head}<{found.root}><results>{inner}</results></{found.root}>".encode()
    return json.dumps({"results": list(items)}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        text = "".join(_element(inner, child) for inner, child in value.items())
    else:
        plain = str(value).lower() if isinstance(value, bool) else str(value)
        text = escape(_UNWRITABLE.sub("", plain), quote=False)
    return f"<{name}>{text}</{name}>"
