"""Where credentials may travel: to Infobip, to this machine, and to hosts that the operator names."""

import re
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from infobip.outbound.errors import BaseUrlRefused

_INFOBIP: Final = ".infobip.com"
_HOST: Final = re.compile(r"[a-z0-9.-]{1,253}|[0-9a-f:.]{2,45}")


def check_base_url(url: str, allowed: Collection[str] = ()) -> str:
    """Return a base URL as `https://host[:port]`, or raise `BaseUrlRefused`.

    It is https on a host below infobip.com (one for each account: OUTBOUND 2), https or http on this machine (a
    simulator), or https on a host in `allowed` (`host` or `host:port`).
    """
    parts = _split(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port
    if not _HOST.fullmatch(host):
        raise BaseUrlRefused("the base URL names no host that is written in plain letters and digits")
    written = f"[{host}]" if ":" in host else host
    netloc = written if port is None else f"{written}:{port}"
    if _is_loopback(host):
        return f"{parts.scheme}://{netloc}"
    if parts.scheme != "https":
        raise BaseUrlRefused("the base URL is not https, so the credential would travel in clear")
    names = {one.strip().lower() for one in allowed}
    if not (host.endswith(_INFOBIP) and port in (None, 443)) and host not in names and netloc not in names:
        raise BaseUrlRefused("the base URL is not a host of infobip.com, nor one of the allowed hosts")
    return f"https://{netloc}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise BaseUrlRefused("the base URL is no URL") from None
    if parts.scheme not in ("http", "https"):
        raise BaseUrlRefused("the base URL does not begin with https://")
    if parts.username is not None or parts.password is not None:
        raise BaseUrlRefused("the base URL holds a user name, which belongs to the credential")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BaseUrlRefused("the base URL has something behind the host")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
