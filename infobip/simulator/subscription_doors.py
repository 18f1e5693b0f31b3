"""The addresses of the Subscriptions Management API."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from infobip.simulator.errors import Shape
from infobip.simulator.subscriptions import Subscriptions

Door = Callable[[str, Shape, str, Callable[[], Any]], Response]


def add_subscriptions(app: Flask, door: Door, kept: Subscriptions, read_json: Callable[[], Any]) -> None:
    """Add the routes of subscriptions, profiles and security settings."""

    def guarded(work: Callable[[], Any]) -> Response:
        return door("subscriptions", Shape.LEGACY, "", work)

    def created(path: str) -> Response:
        return Response(status=201, headers={"Location": path})

    def done(work: Callable[[], None], status: int) -> Response:
        work()
        return Response(status=status)

    @app.route("/subscriptions/1/subscription/<channel>", methods=["GET", "POST"])
    def subscriptions(channel: str) -> Response:
        if request.method == "POST":
            return guarded(lambda: created(kept.create(channel, read_json())))
        return guarded(lambda: listed(kept.listed(channel)))

    @app.route("/subscriptions/1/subscription/<channel>/<name>", methods=["GET", "PUT", "DELETE"])
    def subscription(channel: str, name: str) -> Response:
        if request.method == "PUT":
            return guarded(lambda: done(lambda: kept.update(channel, name, read_json()), 200))
        if request.method == "DELETE":
            return guarded(lambda: done(lambda: kept.delete(channel, name), 204))
        return guarded(lambda: kept.shown(channel, name))

    @app.route("/subscriptions/1/profiles", methods=["GET", "POST"])
    def profiles() -> Response:
        if request.method == "POST":
            return guarded(lambda: created(kept.create_profile(read_json())))
        return guarded(lambda: listed([kept.shown_profile(name) for name in list(kept.profiles)]))

    @app.route("/subscriptions/1/profiles/<name>", methods=["GET", "PUT", "DELETE"])
    def profile(name: str) -> Response:
        if request.method == "PUT":
            return guarded(lambda: done(lambda: kept.update_profile(name, read_json()), 200))
        if request.method == "DELETE":
            return guarded(lambda: done(lambda: kept.delete_profile(name), 204))
        return guarded(lambda: kept.shown_profile(name))

    @app.route("/subscriptions/1/security", methods=["GET", "POST"])
    def securities() -> Response:
        if request.method == "POST":
            return guarded(lambda: created(kept.create_security(read_json())))
        return guarded(lambda: listed([kept.shown_security(name) for name in list(kept.securities)]))

    @app.route("/subscriptions/1/security/<name>", methods=["GET", "PUT", "DELETE"])
    def security(name: str) -> Response:
        if request.method == "PUT":
            return guarded(lambda: done(lambda: kept.update_security(name, read_json()), 200))
        if request.method == "DELETE":
            return guarded(lambda: done(lambda: kept.delete_security(name), 204))
        return guarded(lambda: kept.shown_security(name))


def listed(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a list in the envelope of Infobip's newer lists; `size` and `page` pick a part."""
    size, page = _number("size", 20), _number("page", 0)
    paging = {"page": page, "size": size, "totalPages": -(-len(found) // max(1, size)), "totalResults": len(found)}
    return {"results": found[page * size : (page + 1) * size], "paging": paging}


def _number(name: str, default: int) -> int:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and int(value) < 10_000 else default
