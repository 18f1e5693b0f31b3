"""Where a request comes from: behind proxies, only what the trusted ones say is believed."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from config.settings import SettingsError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: str, proxies: int) -> Address | None:
    """Return the client's address, or `None` where it cannot be known.

    Each proxy appends to X-Forwarded-For whom it got the request from, so with `proxies` trusted ones the client is
    that many entries from the right. What stands further left is the client's own invention. Fewer entries mean that
    the request came around a proxy.
    """
    if proxies <= 0:
        return _parse(peer)
    hops = [hop for hop in forwarded_for.split(",") if hop.strip()]
    return _parse(hops[-proxies]) if len(hops) >= proxies else None


@lru_cache(maxsize=1024)
def _parse(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a setting. Raises `SettingsError` naming each one that is none."""
    found: list[Network] = []
    faults: list[str] = []
    for part in text.replace(",", " ").split():
        try:
            found.append(ip_network(part, strict=False))
        except ValueError as error:
            faults.append(f"DLR_NETWORKS: {error}. For example: DLR_NETWORKS=193.105.74.0/24,83.166.64.0/19")
    if faults:
        raise SettingsError("\n".join(faults))
    return tuple(found)


def member_of(networks: tuple[Network, ...]) -> Callable[[Address | None], bool]:
    """Return a function that says whether an address lies in one of `networks`; it remembers a thousand answers."""

    @lru_cache(maxsize=1024)
    def is_member(address: Address | None) -> bool:
        return address is not None and any(address in network for network in networks)

    return is_member
