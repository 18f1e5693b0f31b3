"""`dlr up`: everything at once, on this host."""

import os
import sys

import click


@click.command()
@click.option("--demo", is_flag=True, help="Beside an offline Infobip, with 200 messages; nothing leaves this host.")
def up(demo: bool) -> None:
    """Run everything on this host: database, Valkey, endpoint, workers, schedule.

    Ctrl-C stops it cleanly. What ends unexpectedly is started again.
    """
    sys.stdout.flush()
    program = "cli.demo" if demo else "cli.supervisor"
    # A new program in the same process: what the other commands import is not to stay in memory for weeks.
    os.execv(sys.executable, (sys.executable, "-m", program))  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    up(prog_name="dlr up")
