"""`dlr simulate`: an offline Infobip on this host."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from cli.output import fail
from infobip.simulator import Simulator, SimulatorError, shipped_names

_SECOND: Final = 1.0
# Not the pass-through's (8090), which is tried together with it.
PORT: Final = 8070


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option(
    "--listen", default="127.0.0.1", show_default=True, help="Address to listen on; others can then reach it."
)
@click.option(
    "--scenario",
    metavar="FILE|NAME",
    default="",
    help=f"What happens to sends: a TOML file, or one of {', '.join(shipped_names())}.",
)
@click.option("--speed", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, help="Of time.")
@click.option(
    "--notify-url", metavar="URL", default="", help="Where reports go that no send or subscription gives a URL for."
)
@click.option("--api-key", metavar="KEY", default="", help="App key to ask for; without it, one is made.")
@click.option("--post-anywhere", is_flag=True, help="Post reports to hosts outside of this network, too.")
def simulate(
    port: int, listen: str, scenario: str, speed: float, notify_url: str, api_key: str, post_anywhere: bool
) -> None:
    """Run an offline Infobip: it takes sends, posts delivery reports, and fails as a scenario says.

    --notify-url may hold {channel}, as in http://127.0.0.1:8080/webhook/{channel}/TOKEN. Ctrl-C stops it.
    """
    try:
        simulator = Simulator(
            scenario or None,
            notify_url=notify_url,
            api_key=api_key,
            speed=speed,
            host=listen,
            port=port,
            post_anywhere=post_anywhere,
        )
    except (SimulatorError, ValueError) as error:
        raise fail(str(error), 2) from None
    with _stop_asked() as stopping, simulator:
        for line in _welcome(simulator, notify_url, given=bool(api_key)):
            click.echo(line)
        sys.stdout.flush()
        _watch(simulator, stopping)
    click.echo(f"Stopped. {_status(simulator.counts())}")


@contextmanager
def _stop_asked() -> Iterator[threading.Event]:
    """Yield what is set when the program is asked to stop; afterwards signals mean what they meant before."""
    stopping = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stopping.set())
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _welcome(simulator: Simulator, notify_url: str, *, given: bool) -> Iterator[str]:
    rest = f"to {_without_secrets(notify_url)}" if notify_url else "nowhere: they wait to be fetched"
    credential = "the App key that you gave" if given else f"Authorization: App {simulator.api_key}"
    yield f"Ready: a simulated Infobip listens on {simulator.url}"
    yield f"Scenario: {simulator.counts()['scenario']}, {simulator.world.clock.speed:g} times as fast as real time"
    yield f"Credential: {credential}"
    yield f"Reports go to the send's own URL, else to its subscription's, else {rest}"
    yield f"What happened: {simulator.url}/simulator/counts, and /sends and /callbacks beside it"


def _without_secrets(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.split('/')[0].rpartition('@')[2]}"


def _watch(simulator: Simulator, stopping: threading.Event) -> None:
    shows = sys.stdout.isatty()
    while not stopping.wait(_SECOND):
        if shows:
            click.echo(f"\r\x1b[K{_status(simulator.counts())}", nl=False)
    if shows:
        click.echo()


def _status(counts: dict[str, Any]) -> str:
    """Return the numbers of a run in one line. Nothing in it is about one person."""
    sends, callbacks = counts["submissions"], counts["callbacks"]
    parts = {
        "accepted": sends.get("accepted", 0),
        "rejected": sends.get("rejected", 0),
        "duplicates": sends.get("duplicate", 0),
        "accepted twice": len(counts["acceptedTwice"]),
        "faults": sum(counts["faults"].values()),
        "reports": callbacks.get("reports", 0),
        "callbacks": callbacks.get("posted", 0),
        "to repeat": counts["waiting"]["retries"],
        "lost": callbacks.get("lost", 0),
    }
    return ", ".join(f"{number} {name}" for name, number in parts.items())
