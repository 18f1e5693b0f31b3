"""The Flask application: Infobip's addresses, and the simulator's own below `/simulator`."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from infobip.simulator.control import add_control
from infobip.simulator.errors import Dropped, Refusal, Shape
from infobip.simulator.faults import DROP
from infobip.simulator.resources import add_resources
from infobip.simulator.send_door import add_send_doors
from infobip.simulator.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The largest that Infobip takes is 10 MB (RCS), and 50,000 destinations for the blocklist are half of that.
_LARGEST: Final = 32 * 1024 * 1024


def make_app(world: World) -> "WSGIApplication":
    """Return the application over a world, as a server runs it."""
    return _ends_dropped(make_flask(world).wsgi_app)


def make_flask(world: World) -> Flask:
    """Return the application without the ends of connections that only a server can bring about."""
    app = Flask("infobip.simulator", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=_LARGEST, MAX_FORM_MEMORY_SIZE=_LARGEST, MAX_FORM_PARTS=5000)
    app.json.sort_keys = False  # type: ignore[attr-defined]

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        answer = jsonify(refusal.body(g.get("shape", Shape.LEGACY)))
        answer.status_code = refusal.status
        answer.headers.update(refusal.headers)
        return answer

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        return refuse(Refusal(error.code or 500))

    @app.before_request
    def count() -> None:
        if not request.path.startswith("/simulator"):
            world.requests[f"{request.method} {request.url_rule.rule if request.url_rule else 'unknown'}"] += 1

    add_send_doors(app, world)
    add_resources(app, world)
    add_control(app, world)
    return app


def _ends_dropped(app: Callable[..., Iterable[bytes]]) -> "WSGIApplication":
    """Wrap the application: what it marked as dropped ends as a lost connection instead of an answer."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        held: list[Any] = []

        def hold(*args: Any) -> Callable[[bytes], object]:
            held.append(args)
            return lambda data: None

        answer = app(environ, hold)
        if DROP in environ:
            raise Dropped(reset=environ[DROP] == "reset")
        start_response(*held[-1])
        return answer

    return wrapped
