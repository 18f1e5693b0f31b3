"""The door: check, keep, ring, answer. 200 means that the callback is committed in the database."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

from codes.channels import CHANNELS, UNKNOWN
from config.logs import log
from infobip.inbound import InboundError, Reading, read
from store.inbox import Arrival
from webhook.accounts import MAIN, Accounts
from webhook.admission import Admission
from webhook.body import Body, unpack
from webhook.errors import JSON, TooLarge, Unpackable
from webhook.headers import kept_headers
from webhook.incidents import Reporter
from webhook.keeping import Keeper
from webhook.target import Target, read_target

_log = log(__name__)
_OUR_FAULT = "an error in our own code; the whole body is kept for a replay"


@dataclass(frozen=True, slots=True)
class Receiver:
    """The view of all callback routes, with its collaborators. `limit` is the largest body in bytes."""

    limit: int
    accounts: Accounts
    admission: Admission
    keeper: Keeper
    reporter: Reporter
    read: Callable[..., Reading] = read

    def __call__(self, rest: str = "") -> Response:
        """Answer one POST."""
        target = read_target(rest, request.args if request.query_string else None)
        g.line = {"channel": target.channel}
        try:
            return self._receive(target, Body(request.environ, self.limit))
        except TooLarge as error:
            self.reporter.note("callback_too_large", MAIN, f"A callback was refused: {error}", error.next_step)
            raise

    def _receive(self, target: Target, body: Body) -> Response:
        body.check_length()
        trusted = self.admission.admit(target, body)
        arrival = Arrival(
            account=self.accounts.of_token(target.token) or MAIN,
            channel=target.channel,
            content_type=request.content_type or "",
            body=body.raw(),
            received_at=datetime.now(UTC),
            trusted=trusted,
            headers=kept_headers(request.headers),
        )
        try:
            arrival = self._unpacked(arrival)
            reading = self.read(arrival.body, arrival.content_type, arrival.channel, account=arrival.account)
        except (InboundError, Unpackable) as error:
            self.keeper.keep_refused(arrival, error, error.next_step)
            raise
        except TooLarge:
            raise
        except Exception as error:  # our mistake: kept as it came, for the day on which we can read it
            return self._keep_undecoded(arrival, error)
        return self._keep_read(arrival, reading, target)

    def _unpacked(self, arrival: Arrival) -> Arrival:
        plain = unpack(arrival.body, request.headers.get("Content-Encoding", ""), self.limit)
        if plain is arrival.body:
            return arrival
        headers = {name: value for name, value in arrival.headers.items() if name.lower() != "content-encoding"}
        return replace(arrival, body=plain, headers=headers, sent=(arrival.headers, arrival.body))

    def _keep_read(self, arrival: Arrival, reading: Reading, target: Target) -> Response:
        arrival = replace(
            arrival,
            account=arrival.account if arrival.account != MAIN else self._account_of(reading),
            items=reading.received,
            faults=[(fault.index, fault.error) for fault in reading.faults],
        )
        number = self.keeper.keep(arrival)
        if target.mistyped:
            self._note_mistyped(target, arrival.account)
        quarantined = [{"index": index, "reason": reason} for index, reason in arrival.faults]
        return _answer(number, reading.received, len(reading.items), quarantined)

    def _keep_undecoded(self, arrival: Arrival, error: Exception) -> Response:
        _log.error("a callback could not be read and is kept undecoded", exc_info=error)
        number = self.keeper.keep(replace(arrival, undecoded=True))
        self.reporter.note(
            "callback_undecoded",
            arrival.account,
            f"A callback met {_OUR_FAULT}.",
            "Find the error in the log, update, then run `dlr quarantine replay`.",
        )
        return _answer(number, 0, 0, [{"index": -1, "reason": _OUR_FAULT}])

    def _account_of(self, reading: Reading) -> str:
        found = self.accounts.of_items(reading.items)
        if len(found) > 1:
            self.reporter.note(
                "accounts_mixed",
                found[0],
                f"One callback holds reports of several accounts ({', '.join(found)}); all count for {found[0]}.",
                "Give each account a URL with a token of its own (DLR_ACCOUNT_TOKENS).",
            )
        return found[0] if found else MAIN

    def _note_mistyped(self, target: Target, account: str) -> None:
        known = ", ".join(sorted(CHANNELS - {UNKNOWN}))
        self.reporter.note(
            "channel_not_known",
            account,
            "The URL of a callback names no channel of ours; what names none itself is kept and not acted on.",
            "Name the channel in the URL that Infobip has. "
            + (f"Did you mean /webhook/{target.meant}?" if target.meant else f"There are: {known}."),
        )


def _answer(number: int, received: int, accepted: int, quarantined: list[dict[str, Any]]) -> Response:
    # As text: JavaScript, and whoever pastes it from there, would round a number of 63 bits.
    callback_id = str(number)
    g.line |= {"callback_id": callback_id, "received": received, "quarantined": len(quarantined)}
    content = {"received": received, "accepted": accepted, "quarantined": quarantined, "callback_id": callback_id}
    return Response(json.dumps(content), mimetype=JSON)


def register_receive(app: Flask, receiver: Receiver) -> None:
    """Serve the callback routes. Whatever stands behind /webhook is taken: a 404 would lose it after 41.5 hours."""
    for rule in ("/webhook", "/webhook/<everything:rest>"):
        app.add_url_rule(rule, "receive", receiver, methods=["POST"], provide_automatic_options=False)
