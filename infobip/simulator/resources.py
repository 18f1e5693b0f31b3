"""What is not sending: logs, reports to fetch, blocklist, suppressions, push registrations, subscriptions, balance."""

import json
from collections.abc import Callable
from typing import Any, Final

from flask import Flask, Response, g, request

from infobip.simulator.errors import Refusal, Shape
from infobip.simulator.faults import guarded
from infobip.simulator.limits import RATES
from infobip.simulator.logs import LOGS, Log, page
from infobip.simulator.pulls import PATHS
from infobip.simulator.subscription_doors import add_subscriptions
from infobip.simulator.world import World

_LEGACY_PULLS: Final = frozenset({"/sms/1/reports", "/email/1/reports", "/voice/1/reports", "/omni/1/reports"})
_PULL_RATES: Final = {
    "/email/4/reports": "email reports",
    "/email/1/reports": "old email reports",
    "/push/3/reports": "push reports",
}


def add_resources(app: Flask, world: World) -> None:
    """Add the routes of all that is not sending."""
    for log in LOGS:
        _add_log(app, world, log)
    for path, (channel, shape) in PATHS.items():
        _add_pull(app, world, path, channel, shape)
    _add_tokens(app, world)
    _add_lists(app, world)
    _add_account(app, world)
    add_subscriptions(app, make_door(world), world.subscriptions, read_json)


Door = Callable[[str, Shape, str, Callable[[], Any]], Response]


def make_door(world: World) -> Door:
    """Return what every address here goes through: the credential, the rate limit, and the scenario's faults."""

    def door(api: str, shape: Shape, limit: str, work: Callable[[], Any]) -> Response:
        g.shape = shape

        def checked() -> Any:
            world.credentials.check(request.headers.get("Authorization", ""))
            world.limits.check(limit, RATES.get(limit))
            return work()

        return guarded(world, api, checked)

    return door


def read_json() -> Any:
    """Return the body of the request. Raises `Refusal`."""
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise Refusal(400, faults={"request": "is not valid JSON"}) from None


def _add_log(app: Flask, world: World, log: Log) -> None:
    door = make_door(world)

    def show() -> Any:
        return page(log, world.book, request.args, world.clock.now(), world.rules.scenario.logs_delay)

    app.add_url_rule(log.path, f"logs {log.path}", lambda: door("logs", log.errors, log.limit, show))


def _add_pull(app: Flask, world: World, path: str, channel: str, shape: str) -> None:
    door = make_door(world)
    errors = Shape.LEGACY if path in _LEGACY_PULLS else Shape.API

    def take() -> Any:
        return world.pulls.take(channel, shape, request.args, world.clock.now())

    app.add_url_rule(path, f"reports {path}", lambda: door("reports", errors, _PULL_RATES.get(path, ""), take))


def _add_tokens(app: Flask, world: World) -> None:
    @app.post("/auth/1/oauth2/token")
    def oauth2() -> Response:
        return guarded(world, "token", lambda: world.credentials.oauth2_token(request.form))

    @app.post("/auth/1/session")
    def session() -> Response:
        return guarded(world, "token", lambda: world.credentials.session(read_json()))


def _add_lists(app: Flask, world: World) -> None:
    door = make_door(world)

    @app.get("/messages-api/1/reports")
    def all_reports() -> Response:
        return door(
            "reports", Shape.API, "", lambda: world.pulls.take_for_messages_api(request.args, world.clock.now())
        )

    @app.route("/platform/1/blocklists", methods=["GET", "POST", "DELETE"])
    def blocklists() -> Response:
        def work() -> Any:
            if request.method == "GET":
                return world.blocklist.listed(request.args)
            change = world.blocklist.create if request.method == "POST" else world.blocklist.delete
            change(read_json())
            return Response(status=202)

        return door("blocklist", Shape.LEGACY, f"blocklist {request.method}", work)

    @app.route("/email/1/suppressions", methods=["GET", "POST", "DELETE"])
    def suppressions() -> Response:
        def work() -> Any:
            if request.method == "GET":
                return world.suppressions.listed(request.args)
            change = world.suppressions.add if request.method == "POST" else world.suppressions.delete
            change(read_json())
            return Response(status=204)

        return door("suppressions", Shape.API, "suppressions", work)

    @app.get("/email/1/suppressions/domains")
    def domains() -> Response:
        return door("suppressions", Shape.API, "suppressions", world.suppressions.domains)


def _add_account(app: Flask, world: World) -> None:
    door = make_door(world)

    def balance() -> dict[str, Any]:
        start = world.rules.scenario.balance
        return {"balance": round((1000.0 if start is None else start) - world.sending.spent, 4), "currency": "EUR"}

    @app.get("/account/1/balance")
    def show_balance() -> Response:
        return door("account", Shape.LEGACY, "", balance)

    @app.get("/account/1/total-balance")
    def show_total() -> Response:
        return door("account", Shape.LEGACY, "", lambda: {**balance(), "freeMessages": 0, "creditLimit": 0})

    @app.route("/people/2/contactInformation/push/<registration>", methods=["GET", "PATCH"])
    def push_registration(registration: str) -> Response:
        application = request.headers.get("AppCode", "")

        def work() -> Any:
            if request.method == "GET":
                return world.devices.read(registration, application)
            return world.devices.patch(registration, application, read_json())

        return door("push", Shape.LEGACY, "push registrations", work)
