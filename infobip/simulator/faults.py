"""The faults of a scenario, on the wire."""

from collections.abc import Callable
from typing import Any, Final

from flask import Response, jsonify, request

from infobip.simulator.errors import Refusal
from infobip.simulator.scenario import Fault, Rule
from infobip.simulator.world import World

DROP: Final = "simulator.drop"
"""The key of the WSGI environment that asks for a connection without an answer: `reset` or `close`."""


def fail(world: World, fault: Fault) -> Response:
    """Do what a fault says: raise the `Refusal` of its status, or return an answer that nobody will get."""
    name = f"drop {fault.drop}" if fault.drop else str(fault.status)
    with world.book.lock:
        world.faults[name] += 1
    if fault.drop:
        request.environ[DROP] = "close" if fault.is_after else "reset"
        return Response(status=204)
    headers = {} if fault.retry_after is None else {"Retry-After": f"{round(fault.retry_after)}"}
    raise Refusal(fault.status or 500, headers=headers)


def wait(world: World, seconds: float) -> None:
    """Be slow, in real seconds; the end of the simulator ends it."""
    if seconds:
        with world.book.lock:
            world.faults["slow"] += 1
        world.stopping.wait(seconds)


def rule_of_api(world: World, api: str) -> Rule | None:
    """Return the first rule about a part of the API other than sending, and be as slow as it says."""
    key = f"{request.method} {request.full_path} {world.requests.total()}"
    rule = world.rules.for_api(api, key, world.clock.now())
    if rule is not None:
        wait(world, rule.slow)
    return rule


def guarded(world: World, api: str, work: Callable[[], Any]) -> Response:
    """Do the work of an address that does not send, or what a scenario has happen instead, before or after it."""
    rule = rule_of_api(world, api)
    fault = rule.fault if rule is not None else None
    if fault is not None and not fault.is_after:
        return fail(world, fault)
    found = work()
    if fault is not None:
        return fail(world, fault)
    return found if isinstance(found, Response) else jsonify(found)
