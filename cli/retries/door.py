"""`dlr retries`: resends, what each waits for, and how to steer them."""

import click

from cli.groups import Listing
from cli.retries.incident import from_incident
from cli.retries.listing import list_retries
from cli.retries.pausing import list_pauses, pause, resume
from cli.retries.showing import show
from cli.retries.steering import cancel, run

__all__ = ["retries"]


@click.group(cls=Listing)
def retries() -> None:
    """Resends: what each waits for, and how to stop, start and pause them."""


for command in (list_retries, show, cancel, run, pause, resume, list_pauses, from_incident):
    retries.add_command(command)
