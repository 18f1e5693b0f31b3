"""Multipart bodies as applications write them."""

from collections.abc import Sequence

BOUNDARY = "--fernhill-7"
MEDIA = f"multipart/form-data; boundary={BOUNDARY}"


def form(parts: Sequence[tuple[str, str | bytes]]) -> bytes:
    """Return a multipart body of fields, and of files where the content is bytes."""
    written = b""
    for name, content in parts:
        written += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if isinstance(content, bytes):
            written += b'; filename="gate plan.pdf"\r\nContent-Type: application/pdf\r\n\r\n' + content
        else:
            written += b"\r\n\r\n" + content.encode()
        written += b"\r\n"
    return written + f"--{BOUNDARY}--\r\n".encode()
