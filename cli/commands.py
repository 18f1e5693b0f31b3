"""The commands of `dlr`, by name."""

from importlib import import_module
from typing import Any, Final

import click

from cli.groups import Naming
from cli.output import fail

# command -> module and attribute. Imported when asked for: all of them together take half a second, and `dlr up` is to
# be ready in three. tests/cli/test_groups.py resolves every one.
COMMANDS: Final = {
    "alerts": "cli.alerts:alerts",
    "codes": "cli.codes:codes",
    "doctor": "cli.doctor:doctor",
    "evidence": "cli.evidence.door:evidence",
    "explain": "cli.explain:explain",
    "forget": "cli.forget:forget",
    "forward": "cli.forward:forward",
    "incidents": "cli.incidents:incidents",
    "keys": "cli.keys:keys",
    "message": "cli.message:message",
    "migrate": "cli.migrate:migrate",
    "policy": "cli.policy:policy",
    "proposals": "cli.proposals:proposals",
    "quarantine": "cli.quarantine:quarantine",
    "replay": "cli.replay:replay",
    "reports": "cli.reports:reports",
    "retries": "cli.retries.door:retries",
    "sample": "cli.sample:sample",
    "settings": "cli.settings:settings",
    "simulate": "cli.simulate:simulate",
    "subscribe": "cli.subscribe.door:subscribe",
    "suppress": "cli.suppress:suppress",
    "up": "cli.up:up",
}


class _Commands(Naming):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what is broken off ends with 130, as the README says."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise fail("Broken off.", 130) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dlr", prog_name="dlr")
def main() -> None:
    """Delivery reports from Infobip: what they mean, what to do about them, and why."""
