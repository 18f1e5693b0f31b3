"""The simulator's own addresses below `/simulator`, for tests and for people. They ask for no credential."""

import json
from typing import Any

from flask import Flask, Response, jsonify, request

from infobip.simulator.errors import Refusal, ScenarioError
from infobip.simulator.load import load_scenario, parse_scenario, read_scenario, shipped_names
from infobip.simulator.scenario import Scenario
from infobip.simulator.spans import seconds_of
from infobip.simulator.world import World


def add_control(app: Flask, world: World) -> None:
    """Add the routes."""
    _add_views(app, world)
    _add_changes(app, world)


def _add_views(app: Flask, world: World) -> None:
    @app.get("/simulator/sends")
    def sends() -> Response:
        found = world.book.find(request.args.get("messageId", ""), request.args.get("recipient", ""))
        offset, limit = _number("offset", 0), _number("limit", len(found))
        shown = [entry.shown() for entry in found[offset : offset + limit]]
        return jsonify(results=shown, total=len(found))

    @app.get("/simulator/counts")
    def counts() -> Response:
        return jsonify(world.counts())

    @app.get("/simulator/callbacks")
    def callbacks() -> Response:
        with_body = request.args.get("bodies", "") in ("1", "true")
        state, message_id = request.args.get("state", ""), request.args.get("messageId", "")
        found = world.poster.shown(state, message_id, with_body=with_body)
        return jsonify(results=found, total=len(found))

    @app.get("/simulator/clock")
    def clock() -> Response:
        return jsonify(simulated=world.clock.now(), speed=world.clock.speed)


def _add_changes(app: Flask, world: World) -> None:
    @app.post("/simulator/scenario")
    def scenario() -> Response:
        try:
            world.load(_scenario())
        except ScenarioError as error:
            raise _refused(str(fault) for fault in error.faults) from None
        return jsonify(scenario=world.rules.scenario.name)

    @app.post("/simulator/clock")
    def set_clock() -> Response:
        body = _body()
        try:
            if "speed" in body:
                world.clock.set_speed(float(body["speed"]))
            if "advance" in body:
                world.clock.advance(seconds_of(body["advance"]))
        except (TypeError, ValueError) as error:
            raise _refused([str(error)]) from None
        return jsonify(simulated=world.clock.now(), speed=world.clock.speed)

    @app.post("/simulator/opt-out")
    def opt_out() -> Response:
        body = _body()
        if not isinstance(body.get("recipient"), str):
            raise _refused(['there is no recipient. Write {"recipient": "447700900123"}.'])
        texts = {name: str(body.get(name) or default) for name, default in (("channel", ""), ("sender", ""))}
        world.opt_out(body["recipient"], texts["channel"], str(body.get("source") or "MO"), texts["sender"])
        return Response(status=204)

    @app.post("/simulator/reset")
    def reset() -> Response:
        world.reset()
        return Response(status=204)


def _scenario() -> Scenario:
    if "toml" in request.mimetype:
        return parse_scenario(request.get_data(), "the scenario")
    body = _body()
    if set(body) == {"shipped"}:
        if body["shipped"] not in shipped_names():
            raise _refused([f"no such scenario comes along. Write one of {', '.join(shipped_names())}."])
        return load_scenario(body["shipped"])
    return read_scenario(body)


def _body() -> dict[str, Any]:
    try:
        found = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise _refused(["the body is not JSON"]) from None
    if not isinstance(found, dict):
        raise _refused(["the body is not an object"])
    return found


def _number(name: str, default: int) -> int:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() else default


def _refused(problems: Any) -> Refusal:
    return Refusal(400, text="\n".join(problems))
