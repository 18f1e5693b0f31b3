"""Form-encoded, multipart and CSV bodies: as plain values of the same form as JSON's."""

import csv
import re
from collections.abc import Iterable
from email import message_from_bytes
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any, Final
from urllib.parse import parse_qsl

from infobip.inbound.errors import NotReadable
from infobip.inbound.json_body import parse_json, storable

_MAX_FIELDS: Final = 100_000
_MAX_PATH: Final = 8
_PATH_PART: Final = re.compile(r"[^.\[\]]+")
# One of these at least is in the first line of CSV, or the first line holds no names.
_CSV_NAMES: Final = frozenset({"messageId", "bulkId", "to"})
# Names under which a whole JSON document may come in a form.
_DOCUMENTS: Final = frozenset({"payload", "body", "data", "json", "report"})


def parse_form(body: bytes) -> Any:
    """Return a form-encoded body as an object: `results[0].status.id=5`, `status.id=5` and `status[id]=5` nest.

    Infobip names form-encoded voice reports but publishes none (INBOUND facts), so every usual spelling is read.
    Raises `NotReadable`.
    """
    try:
        pairs = parse_qsl(body.decode("utf-8", errors="replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise NotReadable(f"the form has more than {_MAX_FIELDS} fields") from None
    if not pairs:
        raise NotReadable("the body was taken for a form, but has no name=value pairs")
    return storable(_nest(pairs))


def parse_multipart(body: bytes, content_type: str) -> Any:
    """Return a multipart/form-data body as an object of its fields; raises `NotReadable`.

    Fields that hold JSON are parsed. Files are described, not kept: the raw body has them.
    """
    message = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body)
    parts = message.get_payload()
    if not message.is_multipart() or not isinstance(parts, list):
        raise NotReadable("the body was taken for multipart/form-data, but holds no parts")
    pairs = [
        (name, _part_value(part)) for part in parts if isinstance(part, Message) and (name := _parameter(part, "name"))
    ]
    if not pairs:
        raise NotReadable("none of the parts of the multipart body is a named form field")
    return storable(dict(pairs))


def parse_csv(body: bytes) -> Any:
    """Return a CSV body with a line of names (`messageId,status.id,...`) as an object with `results`.

    Infobip names CSV for voice reports but publishes none (INBOUND facts). Raises `NotReadable`.
    """
    try:
        lines = list(csv.reader(body.decode("utf-8", errors="replace").splitlines(), strict=True))
    except csv.Error:
        raise NotReadable("the body was taken for CSV, but is not well-formed") from None
    names, rows = lines[0], lines[1:]
    if not _CSV_NAMES.intersection(names):
        raise NotReadable("the body was taken for CSV, but its first line names no member of a report")
    pairs = ([(name, text) for name, text in zip(names, row, strict=False) if name and text] for row in rows if row)
    return storable({"results": [_nest(members) for members in pairs]})


def _part_value(part: Message) -> Any:
    content = part.get_payload(decode=True)
    content = content if isinstance(content, bytes) else b""
    filename = _parameter(part, "filename")
    if filename or not (part.get_content_maintype() == "text" or part.get_content_type().endswith("json")):
        return {"filename": filename, "contentType": part.get_content_type(), "size": len(content)}
    return _maybe_json(content.decode("utf-8", errors="replace").strip())


def _parameter(part: Message, name: str) -> str:
    return collapse_rfc2231_value(part.get_param(name, failobj="", header="content-disposition"))


def _maybe_json(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return parse_json(text.encode())
        except NotReadable:
            return text
    return text


def _nest(pairs: Iterable[tuple[str, str]]) -> Any:
    root: dict[str, Any] = {}
    for name, text in pairs:
        path = _PATH_PART.findall(name)[:_MAX_PATH] or [name]
        node = root
        for step in path[:-1]:
            inner = node.get(step)
            node[step] = node = inner if isinstance(inner, dict) else {}
        node[path[-1]] = _maybe_json(text)
    documents = [value for name, value in root.items() if name in _DOCUMENTS and isinstance(value, (dict, list))]
    return documents[0] if len(documents) == 1 else _with_lists(root)


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members = {name: _with_lists(child) for name, child in value.items()}
    if members and all(name.isdecimal() for name in members):
        return [members[name] for name in sorted(members, key=lambda name: (len(name), name))]
    return members
