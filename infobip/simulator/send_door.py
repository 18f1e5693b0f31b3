"""The addresses that send, all through one door."""

import json
from typing import Any

from flask import Flask, Response, g, jsonify, request

from infobip.simulator.endpoints import ENDPOINTS, WHATSAPP_KINDS, Endpoint
from infobip.simulator.errors import Refusal, Shape
from infobip.simulator.faults import fail, guarded, wait
from infobip.simulator.limits import RATES
from infobip.simulator.requests_current import read_messages_api
from infobip.simulator.submission import Batch
from infobip.simulator.world import World


def add_send_doors(app: Flask, world: World) -> None:
    """Add the routes of all endpoints that send, and Messages API's validation."""
    for endpoint in ENDPOINTS:
        _add(app, world, endpoint)

    @app.post("/messages-api/1/messages/validate")
    def validate() -> Response:
        g.shape = Shape.API
        return guarded(world, "validate", lambda: _validated(world))


def _validated(world: World) -> Any:
    world.credentials.check(request.headers.get("Authorization", ""))
    world.limits.check("validate", RATES["validate"])
    try:
        read_messages_api(_json())
    except Refusal as refusal:
        violations = [{"property": place, "violation": wrong} for place, wrong in refusal.faults.items()]
        words = {"description": "The request would be refused.", "action": "Correct what the violations name."}
        answer = jsonify(words | {"violations": violations})
        answer.status_code = 400
        return answer
    return {"description": "The request would be accepted.", "action": "Send it.", "skippableViolations": []}


def _add(app: Flask, world: World, endpoint: Endpoint) -> None:
    def send(kind: str = "") -> Response:
        g.shape = endpoint.errors
        if kind and kind not in WHATSAPP_KINDS:
            raise Refusal(404)
        unread = world.rules.before_reading(endpoint.channel, world.clock.now())
        if unread is not None and unread.fault is not None:
            return fail(world, unread.fault)
        world.credentials.check(request.headers.get("Authorization", ""))
        world.limits.check(endpoint.path, endpoint.rate)
        return _send(world, endpoint, endpoint.read(_form_or_json(endpoint)))

    app.add_url_rule(endpoint.path, f"send {endpoint.path}", send, methods=["POST"])


def _send(world: World, endpoint: Endpoint, batch: Batch) -> Response:
    rules = world.rules
    plans = world.sending.plan(endpoint, batch, rules)
    fault = next((plan.rule.fault for plan in plans if plan.rule.fault is not None), None)
    slow = max(plan.rule.slow for plan in plans)
    if fault is not None and not fault.is_after:
        wait(world, slow)
        return fail(world, fault)
    answer = world.sending.accept(endpoint, request.path, batch, plans, rules, answered=fault is None)
    wait(world, slow)
    return fail(world, fault) if fault is not None else jsonify(answer)


def _form_or_json(endpoint: Endpoint) -> Any:
    if endpoint.form:
        if request.mimetype != "multipart/form-data":
            raise Refusal(400, faults={"request": "must be multipart/form-data"})
        return request.form
    if endpoint.path == "/tts/3/single" and request.mimetype == "application/x-www-form-urlencoded":
        return request.form.to_dict()
    return _json()


def _json() -> Any:
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise Refusal(400, faults={"request": "is not valid JSON"}) from None
