"""Asks a part over HTTP whether it is ready, with little more than a socket."""

import socket
from typing import Final

_PATIENCE: Final = 0.5


def split_address(bind: str, name: str = "DLR_WEB_BIND") -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, where an IPv6 host stands in brackets.

    Raises `ValueError` where it is not that.
    """
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{name} is {bind!r}: write HOST:PORT, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def reachable(host: str) -> str:
    """Return the host by which this machine reaches what listens on `host`."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET of `path` is answered with 200 within half a second."""
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("ascii")
    try:
        with socket.create_connection((reachable(host), port), timeout=_PATIENCE) as connection:
            connection.sendall(request)
            status = connection.recv(64).split(b" ", 2)
    except OSError:
        return False
    return len(status) > 1 and status[1] == b"200"


def why_taken(host: str, port: int) -> str:
    """Return why nothing can listen there, or nothing where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""
