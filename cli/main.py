"""The door of the `dlr` command."""

import click

from cli.codes import codes
from cli.explain import explain
from cli.policy import policy
from cli.settings import settings

COMMANDS = (codes, explain, policy, settings)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dlr", prog_name="dlr")
def main() -> None:
    """Delivery reports from Infobip: what they mean, what to do about them, and why."""


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
