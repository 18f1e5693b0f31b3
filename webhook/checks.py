"""The checks that a set of DLR_AUTH is made of. Each compares in constant time and with every live secret."""

import binascii
import hmac
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import Headers

from config.hmac_keys import HmacKeys
from config.secrets import Secret
from config.settings import Settings, SettingsError
from webhook.accounts import Accounts
from webhook.first_token import kept_token
from webhook.networks import Address, member_of, read_networks

ALGORITHMS: Final[Mapping[str, int]] = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
"""Name of each HMAC algorithm that Infobip offers, and the length of its digest."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request brings to be recognised by. `body` reads the body, as it was sent, when a check needs it."""

    headers: Headers
    token: str
    address: Address | None
    body: Callable[[], bytes]


Check = Callable[[Presented], bool]
Maker = Callable[[Settings, Accounts], Check]


def _same(given: bytes, live: tuple[bytes, ...]) -> bool:
    # All are compared, so that the time does not tell which of two live secrets matched.
    found = [hmac.compare_digest(given, value) for value in live]
    return any(found)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _live(secret: Secret | HmacKeys) -> tuple[bytes, ...]:
    return tuple(value.encode() for value in secret.values())


def make_token(settings: Settings, accounts: Accounts) -> Check:
    """The secret in the URL: the installation's own, or one account's."""
    # Where accounts have tokens of their own, nobody asked for one that belongs to `main`.
    secret = settings.url_token if accounts.tokens else kept_token(settings)

    def check(presented: Presented) -> bool:
        own = _same(_bytes(presented.token), _live(secret))
        return bool(accounts.of_token(presented.token)) or own

    return check


def make_basic(settings: Settings, accounts: Accounts) -> Check:
    """User and password of Basic authentication."""
    if not settings.basic_user or not settings.basic_password:
        raise SettingsError("DLR_BASIC_USER and DLR_BASIC_PASSWORD: both are needed for the check `basic`")
    user = settings.basic_user.encode()

    def check(presented: Presented) -> bool:
        scheme, _, credentials = presented.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given, _, password = b64decode(credentials.strip(), validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
        known = _same(password, _live(settings.basic_password))
        return hmac.compare_digest(given, user) and known

    return check


def make_hmac(settings: Settings, accounts: Accounts) -> Check:
    """The HMAC over the body exactly as it was sent, that is before it is unpacked."""
    keys = HmacKeys(settings)
    _check_hmac_settings(settings, keys)
    name, prefix = settings.hmac_header, settings.hmac_prefix.lower()
    algorithm, decode = settings.hmac_algorithm.lower(), ENCODINGS[settings.hmac_encoding.lower()]

    def check(presented: Presented) -> bool:
        text = presented.headers.get(name, "").strip()
        if not text.lower().startswith(prefix):
            return False
        given = decode(text[len(prefix) :].strip())
        if given is None or len(given) != ALGORITHMS[algorithm]:
            return False
        body = presented.body()
        return _same(given, tuple(hmac.digest(key, body, algorithm) for key in _live(keys)))

    return check


def _check_hmac_settings(settings: Settings, keys: HmacKeys) -> None:
    faults = []
    if not keys:
        made = "or a secret that `dlr subscribe create` makes"
        faults.append(f"DLR_HMAC_SECRET: it is needed for the check `hmac`, {made}")
    if not settings.hmac_header:
        faults.append("DLR_HMAC_HEADER: it is empty. For example: DLR_HMAC_HEADER=x-hub-signature")
    if settings.hmac_algorithm.lower() not in ALGORITHMS:
        faults.append(f"DLR_HMAC_ALGORITHM: {settings.hmac_algorithm!r} is not one of {', '.join(ALGORITHMS)}")
    if settings.hmac_encoding.lower() not in ENCODINGS:
        faults.append(f"DLR_HMAC_ENCODING: {settings.hmac_encoding!r} is not one of {', '.join(ENCODINGS)}")
    if faults:
        raise SettingsError("\n".join(faults))


def make_header(settings: Settings, accounts: Accounts) -> Check:
    """A fixed header, which a notification profile can add to every callback."""
    if not settings.header_name or not settings.header_value:
        raise SettingsError("DLR_HEADER_NAME and DLR_HEADER_VALUE: both are needed for the check `header`")

    def check(presented: Presented) -> bool:
        given = presented.headers.get(settings.header_name, "").strip()
        return _same(_bytes(given), _live(settings.header_value))

    return check


def make_network(settings: Settings, accounts: Accounts) -> Check:
    """The address that it comes from, as far as trusted proxies tell it."""
    networks = read_networks(settings.networks)
    if not networks:
        raise SettingsError("DLR_NETWORKS: the check `network` needs it. For example: DLR_NETWORKS=193.105.74.0/24")
    is_member = member_of(networks)
    return lambda presented: is_member(presented.address)


def from_hex(text: str) -> bytes | None:
    """Return the bytes of hexadecimal text in any case, or `None`."""
    try:
        return bytes.fromhex(text) if text.isalnum() else None
    except ValueError:
        return None


def from_base64(text: str) -> bytes | None:
    """Return the bytes of base64 text with or without padding, or `None`."""
    try:
        return b64decode(_padded(text), validate=True)
    except (binascii.Error, ValueError):
        return None


def from_base64url(text: str) -> bytes | None:
    """Return the bytes of base64 text of the URL alphabet, or `None`."""
    if "+" in text or "/" in text:
        return None
    try:
        return urlsafe_b64decode(_padded(text).encode("ascii"))
    except (binascii.Error, ValueError):
        return None


def _padded(text: str) -> str:
    bare = text.rstrip("=")
    return bare + "=" * (-len(bare) % 4)


ENCODINGS: Final[Mapping[str, Callable[[str], bytes | None]]] = {
    "hex": from_hex,
    "base64": from_base64,
    "base64url": from_base64url,
}

CHECKS: Final[Mapping[str, Maker]] = {
    "token": make_token,
    "basic": make_basic,
    "header": make_header,
    "network": make_network,
    "hmac": make_hmac,  # last: it alone has to read the body
}

SETTINGS: Final[Mapping[str, str]] = {
    "token": "DLR_URL_TOKEN",
    "basic": "DLR_BASIC_USER, DLR_BASIC_PASSWORD",
    "header": "DLR_HEADER_NAME, DLR_HEADER_VALUE",
    "network": "DLR_NETWORKS, DLR_TRUSTED_PROXIES",
    "hmac": "DLR_HMAC_SECRET",
}
"""The settings that a failed check's log line names."""
