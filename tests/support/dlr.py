"""The commands, run against one installation as a person would."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result

from cli.alerts import alerts
from cli.codes import codes
from cli.doctor import doctor
from cli.evidence.door import evidence
from cli.explain import explain
from cli.forget import forget
from cli.forward import forward
from cli.incidents import incidents
from cli.keys import keys
from cli.message import message
from cli.migrate import migrate
from cli.policy import policy
from cli.proposals import proposals
from cli.quarantine import quarantine
from cli.replay import replay
from cli.reports import reports
from cli.retries.door import retries
from cli.sample import sample
from cli.settings import settings as list_settings
from cli.subscribe.door import subscribe
from cli.suppress import suppress

COMMANDS = (
    alerts,
    codes,
    doctor,
    evidence,
    explain,
    forget,
    forward,
    incidents,
    keys,
    message,
    migrate,
    policy,
    proposals,
    quarantine,
    replay,
    reports,
    retries,
    sample,
    list_settings,
    subscribe,
    suppress,
)


@click.group()
def door() -> None:
    """The commands under test."""


for command in COMMANDS:
    door.add_command(command)


@dataclass
class Dlr:
    """Runs `dlr` with the settings of one installation."""

    settings: dict[str, str]

    def run(self, *words: str, answer: str = "", **settings: str) -> Result:
        """Run a command; `answer` is typed where it asks."""
        environment = self.settings | {f"DLR_{name.upper()}": value for name, value in settings.items()}
        return CliRunner().invoke(door, words, input=answer, env=environment)

    def __call__(self, *words: str, **more: str) -> str:
        """Return what a command prints; it has to succeed."""
        result = self.run(*words, **more)
        assert result.exit_code == 0, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        return result.stdout

    def fails(self, *words: str, code: int = 1, **more: str) -> str:
        """Return what a command complains of; it has to fail with `code`, and without a trace."""
        result = self.run(*words, **more)
        assert result.exit_code == code, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.stderr

    def lines(self, *words: str, **more: str) -> list[list[str]]:
        """Return the cells of the lines that a command prints into a pipe."""
        return [line.split("\t") for line in self(*words, **more).splitlines()]

    def json(self, *words: str, **more: str) -> Any:
        """Return what a command prints as JSON."""
        return json.loads(self(*words, "--format", "json", **more))


def installed(database_url: str, state_dir: Path) -> Dlr:
    """Return the commands of one installation, in which nobody sleeps: the tests run at every hour."""
    settings = {"DLR_DATABASE_URL": database_url, "DLR_STATE_DIR": str(state_dir), "DLR_QUIET_HOURS": "off"}
    return Dlr(settings)


if __name__ == "__main__":
    door()
