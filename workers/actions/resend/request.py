"""The request that a resend makes, put together from what the register of sends holds."""

from dataclasses import dataclass, field
from datetime import datetime

from config.accounts import Account
from infobip.outbound import CannotResend, Endpoint, Rate, UnreadableSend, convert, find, read_sends, rebuild
from reports import normalise
from store.resending import Resend
from store.sends import Content, Send
from store.vault import Vault

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Plan:
    """One request that is ready to leave."""

    endpoint: Endpoint
    path: str
    message_id: str
    recipient: str = field(repr=False)
    """Normalised; on another channel it may be another address of the same person."""
    channel: str
    body: bytes = field(repr=False)
    content_type: str


def build(
    one: Resend,
    send: Send,
    content: Content,
    account: Account,
    message_id: str,
    not_after: datetime | None,
    now: datetime,
) -> Plan:
    """Return the request of this attempt. Raises `CannotResend`, and `TooLate` where no time is left."""
    source = _source(one, send, content)
    endpoint, path, request = source
    sends = read_sends(endpoint, request, _JSON)
    [destination] = sends.destinations
    if not destination.recipients:
        raise CannotResend("the stored request names nobody")
    report_url = account.report_url or None
    built = rebuild(endpoint, request, message_id, report_url, not_after, now)
    address = normalise(destination.recipients[0].written)
    return Plan(endpoint, path, message_id, address, destination.channel, built.body, built.content_type)


def _source(one: Resend, send: Send, content: Content) -> tuple[Endpoint, str, bytes]:
    """Return endpoint, path and request: the original's, or those that were registered for the channel of the rule."""
    if one.channel and one.channel != send.channel:
        if not content.fallback or content.fallback.get("channel") != one.channel:
            raise CannotResend(f"the rule resends by {one.channel}, and the send registered no content for it")
        converted = convert(content.fallback)
        return converted.endpoint, converted.path, converted.body
    endpoint = find("POST", send.path)
    if endpoint is None or endpoint.name != send.endpoint:
        raise CannotResend("the send's endpoint is none that is known")
    if not send.message_id:
        raise CannotResend("Infobip never told the message's id, so no report could be told apart")
    if not endpoint.sets_ids:
        raise CannotResend("this endpoint takes no message id, so a lost answer could never be cleared up")
    return endpoint, send.path, content.request


def outlet_of(one: Resend, send: Send | None, content: Content | None) -> tuple[str, Rate | None]:
    """Return the name of the endpoint that this resend leaves by, as far as that can be told, and its rate."""
    try:
        endpoint = _source(one, send, content)[0] if send and content else None
    except CannotResend:
        endpoint = None
    return (endpoint.name, endpoint.rate) if endpoint else ("", None)


@dataclass(frozen=True, slots=True)
class People:
    """Whom a resend reaches: one person, perhaps under several addresses."""

    address: str = field(default="", repr=False)
    """The first address that the request names, normalised; empty where nothing is stored."""
    hashes: tuple[bytes, ...] = ()
    """Of all of them, and of the one that the report named."""


def people_of(vault: Vault, one: Resend, send: Send | None, content: Content | None) -> People:
    """Return whom it goes to. On another channel that may be another address than the report's."""
    named = _addresses(one, send, content)
    hashes = dict.fromkeys((one.recipient, *(vault.hash_address(one.account, address) for address in named)))
    return People(named[0] if named else "", tuple(hashes))


def _addresses(one: Resend, send: Send | None, content: Content | None) -> list[str]:
    try:
        endpoint, _, request = _source(one, send, content) if send and content else (None, "", b"")
        found = read_sends(endpoint, request, _JSON).destinations if endpoint else ()
    except (CannotResend, UnreadableSend):
        return []
    return [normalise(recipient.written) for destination in found for recipient in destination.recipients]
