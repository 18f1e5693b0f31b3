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
class Person:
    """Who gets a resend, by which channel and from whom, as its request has it; empty where that cannot be told."""

    address: str = field(default="", repr=False)
    """The first that the request names, normalised; on another channel it may be another address of the same person."""
    channel: str = ""
    sender: str = ""
    hashes: tuple[bytes, ...] = ()
    """Of all addresses that it names, and of the one that the report named."""
    ways: tuple[tuple[bytes, str], ...] = ()
    """(hash of an address, channel) by which it may go, in the request's words; empty where that cannot be told."""
    failover: tuple[str, ...] = ()
    """Channels to which Infobip itself goes on."""


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
    others: tuple[str, ...] = field(default=(), repr=False)
    """Further addresses of the same person that the request names, normalised: a report may be on one of those."""


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
    # By another channel its reports come in under another name.
    report_url = (account.report_url or content.reports_to).replace("{channel}", endpoint.channel) or None
    built = rebuild(endpoint, request, message_id, report_url, not_after, now)
    address = normalise(destination.recipients[0].written)
    others = tuple(normalise(one.written) for one in destination.recipients[1:])
    return Plan(endpoint, path, message_id, address, destination.channel, built.body, built.content_type, others)


def _source(one: Resend, send: Send, content: Content) -> tuple[Endpoint, str, bytes]:
    """Return endpoint, path and request: the original's, or those that were registered for the channel of the rule."""
    if is_elsewhere(one, send):
        if not has_content(one, send, content):
            raise CannotResend(f"the rule resends by {one.channel}, and the send registered no content for it")
        converted = convert(content.fallback or {})
        return converted.endpoint, converted.path, converted.body
    endpoint = find("POST", send.path)
    if endpoint is None or endpoint.name != send.endpoint:
        raise CannotResend("the send's endpoint is none that is known")
    if not send.message_id:
        raise CannotResend("Infobip never told the message's id, so no report could be told apart")
    if not endpoint.sets_ids:
        raise CannotResend("this endpoint takes no message id, so a lost answer could never be cleared up")
    return endpoint, send.path, content.request


def is_elsewhere(one: Resend, send: Send) -> bool:
    """Whether it leaves by another channel than the original."""
    return bool(one.channel) and one.channel != send.channel


def has_content(one: Resend, send: Send | None, content: Content | None) -> bool:
    """Whether there is something to send: by another channel only what was registered for that one."""
    if send is None or content is None:
        return False
    if not is_elsewhere(one, send):
        return True
    try:
        return content.fallback is not None and convert(content.fallback).channel == one.channel
    except CannotResend:
        return False


def endpoint_of(one: Resend, send: Send | None, content: Content | None) -> Endpoint | None:
    """Return the endpoint that it left by, as far as that can be told.

    What an attempt on another channel said may be erased by the time that somebody asks where it went.
    """
    if send is None:
        return None
    if not is_elsewhere(one, send):
        return find("POST", send.path)
    try:
        return _source(one, send, content)[0] if content else None
    except CannotResend:
        return None


def outlet_of(one: Resend, send: Send | None, content: Content | None) -> tuple[str, Rate | None]:
    """Return the name of the endpoint that this resend leaves by, as far as that can be told, and its rate."""
    try:
        endpoint = _source(one, send, content)[0] if send and content else None
    except CannotResend:
        endpoint = None
    return (endpoint.name, endpoint.rate) if endpoint else ("", None)


def person_of(vault: Vault, one: Resend, send: Send | None, content: Content | None) -> Person:
    """Return whom it goes to. On another channel that may be another address than the report's."""
    try:
        endpoint, _, request = _source(one, send, content) if send and content else (None, "", b"")
        found = read_sends(endpoint, request, _JSON).destinations if endpoint else ()
    except (CannotResend, UnreadableSend):
        found = ()
    named = [normalise(recipient.written) for destination in found for recipient in destination.recipients]
    if not named:
        return Person(hashes=(one.recipient,))
    hashes = dict.fromkeys((one.recipient, *(vault.hash_address(one.account, address) for address in named)))
    ways = [(vault.hash_address(one.account, normalise(address)), by) for who in found for address, by in who.ways]
    first = found[0]
    return Person(named[0], first.channel, first.sender, tuple(hashes), tuple(dict.fromkeys(ways)), first.failover)
