"""Multipart forms as lists of parts that JSON can hold, and back.

A part is `{"name", "value"}` or, for a file, `{"name", "filename", "contentType", "base64"}`.
"""

import base64
import binascii
from hashlib import sha256
from typing import Any, Final

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from infobip.outbound.errors import UnreadableSend

# A thousand recipients and their copies, and fields to spare.
_MOST_PARTS: Final = 4000

Part = dict[str, str]


def read_form(body: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart/form-data body in order. Raises `UnreadableSend`."""
    media, options = parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if media != "multipart/form-data" or not boundary:
        raise UnreadableSend("only requests in multipart/form-data are read")
    try:
        decoder = MultipartDecoder(boundary.encode("ascii"), max_parts=_MOST_PARTS)
        return _parts(decoder, body)
    except (ValueError, RequestEntityTooLarge):
        raise UnreadableSend("it is not well-formed multipart/form-data") from None


def write_form(parts: list[Part]) -> tuple[bytes, str]:
    """Return body and content type. The same parts give the same bytes. Raises `UnreadableSend`."""
    # Imported here: only a resend of an e-mail needs it, and urllib3 takes longer to load than all of this room.
    from urllib3.fields import RequestField
    from urllib3.filepost import encode_multipart_formdata

    seed = sha256()
    fields = []
    for part in parts:
        content = _content(part)
        seed.update(len(content).to_bytes(8, "big") + content)
        field = RequestField(part["name"], content, filename=part.get("filename"))
        field.make_multipart(content_type=part.get("contentType"))
        fields.append(field)
    return encode_multipart_formdata(fields, boundary=f"part-{seed.hexdigest()}")


def _parts(decoder: MultipartDecoder, body: bytes) -> list[Part]:
    decoder.receive_data(body)
    decoder.receive_data(None)
    found: list[Part] = []
    part: Event | None = None
    content = bytearray()
    while not isinstance(event := decoder.next_event(), (Epilogue, NeedData)):
        if isinstance(event, (Field, File)):
            part, content = event, bytearray()
        elif isinstance(event, Data) and isinstance(part, (Field, File)):
            content += event.data
            if not event.more_data:
                found.append(_part(part, bytes(content)))
    if isinstance(event, NeedData):
        raise ValueError("cut short")
    return found


def _part(part: Field | File, content: bytes) -> Part:
    if isinstance(part, Field):
        return {"name": part.name, "value": content.decode()}
    return {
        "name": part.name,
        "filename": part.filename,
        "contentType": _media(part.headers),
        "base64": base64.b64encode(content).decode(),
    }


def _media(headers: Headers) -> str:
    return headers.get("Content-Type", "application/octet-stream")


def _content(part: dict[str, Any]) -> bytes:
    if "value" in part:
        return str(part["value"]).encode()
    try:
        return base64.b64decode(part["base64"], validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableSend("a stored file is not base64") from None
