"""The parts of one installation: what each runs, after what, and in which order they stop."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from cli.supervisor import roles
from cli.supervisor.first_key import serves_applications
from cli.supervisor.part import Part
from cli.supervisor.probe import answers, split_address
from cli.supervisor.valkey import Valkey, find_server
from config.settings import Settings

# The web drains first, since it rings for the workers. Together the graces stay below 25 s.
_WEB, _WORKERS, _BROKER = range(3)
_GRACE: Final = 10.0
# Most hosts are set so. It is about forks of large memories: ours holds ids, 256 MiB at most, and can be flushed.
_UNSAID: Final = ("Memory overcommit must be enabled",)


def parts_of(settings: Settings, valkey: Valkey | None) -> list[Part]:
    """Return all parts, in the order in which they are started. `valkey` is None where the broker is elsewhere.

    Raises `NoBroker` where no server runs here, and `ValueError` for a bad address.
    """
    broker = () if valkey is None else ("valkey",)
    host, port = split_address(settings.web_bind)
    schedule = settings.state_dir.absolute() / "beat-schedule"
    return [
        *(() if valkey is None else (_valkey(valkey),)),
        Part(name="database", argv=(sys.executable, "-m", "cli.supervisor.migrate"), once=True, tries=1),
        Part(
            name="web",
            call=roles.serve_web,
            after=(*broker, "database"),
            is_ready=partial(answers, host, port, "/readyz"),
            stop_rank=_WEB,
            grace=_GRACE,
        ),
        *_proxy(settings, broker),
        Part(
            name="process",
            call=partial(roles.process_callbacks, settings.deciders),
            after=(*broker, "database"),
            is_ready=_listening(valkey, 1),
            stop_rank=_WORKERS,
            grace=_GRACE,
        ),
        Part(
            name="effects",
            call=roles.work_effects,
            after=(*broker, "database"),
            is_ready=_listening(valkey, 2),
            stop_rank=_WORKERS,
            grace=_GRACE,
        ),
        Part(name="beat", call=partial(roles.beat, schedule), after=(*broker, "database"), stop_rank=_WORKERS),
    ]


def _proxy(settings: Settings, broker: tuple[str, ...]) -> tuple[Part, ...]:
    if not serves_applications(settings):
        return ()
    host, port = split_address(settings.proxy_bind, "DLR_PROXY_BIND")
    return (
        Part(
            name="proxy",
            call=roles.serve_proxy,
            after=(*broker, "database"),
            is_ready=partial(answers, host, port, "/healthz"),
            stop_rank=_WEB,
            grace=_GRACE,
        ),
    )


def _valkey(valkey: Valkey) -> Part:
    argv = (str(find_server()), str(valkey.config))
    return Part(name="valkey", argv=argv, is_ready=valkey.is_ready, unsaid=_UNSAID, stop_rank=_BROKER, grace=3.0)


def _listening(valkey: Valkey | None, count: int) -> Callable[[], bool]:
    """Whether that many workers wait for tasks. A broker elsewhere has others' workers too, and is not asked."""
    return lambda: valkey is None or valkey.listeners() >= count
