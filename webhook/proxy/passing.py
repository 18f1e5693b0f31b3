"""The door of the pass-through: know the key, register, call Infobip once, register again, answer what it answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from flask import Flask, Response, g, request

from config.accounts import Account
from config.logs import log
from infobip.outbound import (
    Sends,
    UnreadableAnswer,
    UnreadableSend,
    blocked_answer,
    find,
    read_sends,
    with_report_url,
    without,
)
from infobip.outbound.results import Exchange, Exchanged, NotSent
from infobip.outbound.transport import Transport
from store.api_keys import PROXY, ApiKey
from store.credentials_mark import mark_of
from store.errors import Unavailable
from store.vault import Vault
from webhook.body import Body, unpack
from webhook.errors import JSON, NoSuchPage, TooLarge, Unpackable
from webhook.incidents import Throttle
from webhook.keys import KeyRing
from webhook.opinions import Opinions
from webhook.proxy.declared import read_declared
from webhook.proxy.errors import (
    NeverLeft,
    NoBaseUrl,
    NotPermitted,
    OutcomeUnknown,
    RegisterAway,
    SendTooLarge,
)
from webhook.proxy.headers import headers_to_answer, headers_to_send
from webhook.proxy.order import Order
from webhook.proxy.outcome import described
from webhook.proxy.register import Begun, Register
from webhook.proxy.report_url import ANY_CHANNEL, ReportUrls
from webhook.proxy.target import Target, read_target

_log = log(__name__)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOTHING_THERE: Final = "there is nothing at this path"


@dataclass(frozen=True, slots=True)
class PassThrough:
    """The view of all paths below `/proxy`, with its collaborators. `limit` is the largest body in bytes."""

    limit: int
    keys: KeyRing
    accounts: Mapping[str, Account]
    transport: Transport
    register: Register
    report_urls: ReportUrls
    opinions: Opinions
    vault: Vault
    fail_closed: bool
    warnings: Throttle = field(default_factory=Throttle)

    def __call__(self, rest: str = "") -> Response:
        """Answer one request."""
        target = read_target(request.environ)
        key = self.keys.find(target.key) if target is not None else None
        if target is None or key is None:
            raise NoSuchPage(NOTHING_THERE)
        g.line = {"account": key.account, "key_id": str(key.id)}
        account = self._account(key)
        target.check()
        raw = self._body()
        endpoint = find(request.method, target.known)
        if endpoint is None:
            return self._answer(self._call(account, target, raw))
        g.line["endpoint"] = endpoint.name
        try:
            plain = unpack(raw, request.headers.get("Content-Encoding", ""), self.limit)
            sends = read_sends(endpoint, plain, request.content_type or JSON)
        except (UnreadableSend, Unpackable) as error:
            g.line["unread"] = str(error)
            return self._answer(self._call(account, target, raw))
        return self._send(account, target, raw, plain, sends)

    def _account(self, key: ApiKey) -> Account:
        if PROXY not in key.scopes:
            raise NotPermitted(f"the key has no scope {PROXY}")
        account = self.accounts.get(key.account)
        if account is None or not account.base_url:
            raise NoBaseUrl("no base URL of Infobip is set for the key's account")
        return account

    def _body(self) -> bytes:
        try:
            return Body(request.environ, self.limit).raw()
        except TooLarge as error:
            raise SendTooLarge(str(error)) from None

    def _send(self, account: Account, target: Target, raw: bytes, plain: bytes, sends: Sends) -> Response:
        endpoint = sends.endpoint
        url = self.report_urls.of(account.name, endpoint.channel)
        directed = with_report_url(endpoint, plain, url) if url else None
        order = Order(
            account=account.name,
            sends=sends,
            path=target.known,
            mark=mark_of(self.vault, request.headers.get("Authorization", "")),
            declared=read_declared(request.headers, people=len(sends.destinations)),
            opinion=self.opinions.current(),
            now=datetime.now(UTC),
            previous=directed.previous if directed else {},
            reports_to=self.report_urls.of(account.name, ANY_CHANNEL),
        )
        g.line["sends"] = len(sends.destinations)
        body = raw if directed is None or directed.body == plain else directed.body
        begun = self._begin(order)
        if begun is None or not begun.removed:
            exchange = self._call(account, target, body, rewritten=body is not raw)
            if begun is not None:
                self.register.end(begun, exchange)
            return self._answer(exchange)
        g.line["suppressed"] = len(begun.removed)
        return self._send_rest(account, target, begun, body if body is not raw else plain)

    def _begin(self, order: Order) -> Begun | None:
        try:
            return self.register.begin(order)
        except Unavailable as error:
            if self.fail_closed:
                raise RegisterAway("the database is away, and nobody's opt-out can be checked") from error
            count = len(order.sends.destinations)
            self.register.missed.add(count)
            g.line["unregistered"] = count
            if self.warnings.allows("away"):
                _log.warning("sends pass unregistered: the database is away", reason=str(error))
            return None

    def _send_rest(self, account: Account, target: Target, begun: Begun, body: bytes) -> Response:
        """Send what is left without those who are suppressed, and answer for them as Infobip would."""
        sends = begun.order.sends
        left = without(sends.endpoint, body, list(begun.removed))
        exchange = None if left is None else self._call(account, target, left, rewritten=True)
        self.register.end(begun, exchange)
        if exchange is None:
            return Response(blocked_answer(sends, begun.removed, None, begun.removed), 200, mimetype=JSON)
        if not isinstance(exchange, Exchanged) or not 200 <= exchange.http < 300:
            return self._answer(exchange)
        try:
            merged = blocked_answer(sends, begun.removed, exchange.body, begun.removed)
        except UnreadableAnswer:
            return self._answer(exchange)
        return _passed(exchange, merged)

    def _call(self, account: Account, target: Target, body: bytes, *, rewritten: bool = False) -> Exchange:
        started = perf_counter()
        headers = headers_to_send(request.headers, rewritten=rewritten)
        exchange = self.transport.exchange(request.method, account.base_url + target.uri, headers, body or None)
        g.line |= {"upstream": described(exchange), "upstream_ms": round((perf_counter() - started) * 1000, 2)}
        return exchange

    def _answer(self, exchange: Exchange) -> Response:
        if isinstance(exchange, Exchanged):
            return _passed(exchange, exchange.body)
        if isinstance(exchange, NotSent):
            raise NeverLeft(f"Infobip cannot be reached, and nothing was sent: {exchange.reason}")
        raise OutcomeUnknown(f"Infobip gave no answer, and the outcome is unknown: {exchange.reason}")


def _passed(exchange: Exchanged, body: bytes) -> Response:
    answer = Response(body, exchange.http, headers_to_answer(exchange.headers))
    if not exchange.header("Content-Type"):
        del answer.headers["Content-Type"]  # Flask's own guess
    return answer


def register_proxy(app: Flask, view: PassThrough) -> None:
    """Serve all paths below `/proxy`, with every method: what is none of ours to read is Infobip's."""
    for rule in ("/proxy", "/proxy/<everything:rest>"):
        app.add_url_rule(rule, "proxy", view, methods=METHODS, provide_automatic_options=False)
