"""Connect to an address that was checked, and to no other.

A name is resolved once, each address is judged, and the connection goes to an address that passed: a second look-up,
which a stranger's name server could answer differently, never happens.
"""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

# (family, socket address), as `socket.getaddrinfo` has them.
Found = tuple[int, tuple[Any, ...]]
Resolver = Callable[[str, int], Sequence[Found]]

# Not all of a name's addresses are tried: each may take the whole of the timeout.
_TRIED: Final = 3
_NAT64: Final = IPv6Network("64:ff9b::/96")


class PrivateAddress(Exception):
    """All addresses of a host lie in private networks, and those are not allowed."""


class SlowLookUp(TimeoutError):
    """Nobody told a host's addresses in time."""


def resolve(host: str, port: int) -> Sequence[Found]:
    """Return the addresses that the system's resolver knows of `host`."""
    return [(family, address) for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class LookUps:
    """Looks names up with an end to the waiting: the system's resolver has none that can be set.

    A look-up that is given up goes on in a thread of its own. Whoever asks for the same name meanwhile waits for that
    one, so that however many ask, a dead name server holds one thread for each name.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[tuple[Resolver, str, int], Future[Sequence[Found]]] = {}

    def find(self, resolver: Resolver, host: str, port: int, timeout: float) -> Sequence[Found]:
        """Return the addresses of `host`. Raises `SlowLookUp` after `timeout` seconds, and what `resolver` raises."""
        key = (resolver, host, port)
        with self._lock:
            answer = self._running.get(key)
            if answer is None:
                answer = self._running[key] = Future()
                threading.Thread(target=self._look, args=(key, answer), name="look-up", daemon=True).start()
        try:
            return answer.result(max(0.0, timeout))
        except Late:
            if answer.done():
                raise
            raise SlowLookUp(host) from None

    def _look(self, key: tuple[Resolver, str, int], answer: "Future[Sequence[Found]]") -> None:
        resolver, host, port = key
        try:
            found = resolver(host, port)
        except BaseException as error:
            answer.set_exception(error)
        else:
            answer.set_result(found)
        finally:
            with self._lock:
                del self._running[key]


_look_ups: Final = LookUps()


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet. What is no address in figures does not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a translator on the way would make of `address`."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def connect(
    host: str,
    port: int,
    *,
    resolver: Resolver,
    private: bool,
    timeout: float,
    end: float,
    look_up: float = 3.0,
) -> socket.socket:
    """Return a socket connected to an allowed address of `host`.

    The name gets `look_up` seconds and each address `timeout`; none is tried after `end` of the monotonic clock. Raises
    `PrivateAddress`, `SlowLookUp`, and `OSError` as the resolver or the last address gave it.
    """
    found = _look_ups.find(resolver, host, port, min(look_up, end - time.monotonic()))
    allowed = [one for one in found if private or is_public(str(one[1][0]))]
    if found and not allowed:
        raise PrivateAddress(host)
    problem: OSError = OSError("the host has no address")
    for family, address in allowed[:_TRIED]:
        left = min(timeout, end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(left)
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            problem = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise problem
