"""Every command and every group of commands: what it says when nothing, nonsense or help is asked for."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.commands import main
from cli.groups import Listing
from tests.support.dlr import Dlr


def walked(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below one, with the words that name it."""
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield (*path, name), found
            yield from walked(found, (*path, name))


COMMANDS = dict(walked(main))
GROUPS = {path: command for path, command in COMMANDS.items() if isinstance(command, click.Group)}


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_a_group_with_a_list_lists_and_any_other_prints_its_usage(path: tuple[str, ...], dlr: Dlr) -> None:
    group = GROUPS[path]
    if "list" in group.list_commands(click.Context(group)):
        assert isinstance(group, Listing)
        assert dlr(*path) == dlr(*path, "list")
        assert dlr.json(*path) == dlr.json(*path, "list")
    elif path not in (
        ("codes",),
        ("suppress", "sync"),
    ):  # one finds all where nothing is asked for, one tells its state
        result = dlr.run(*path)
        assert result.exit_code == 2
        assert result.output.startswith("Usage:")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_every_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    command = COMMANDS[path]
    assert command.help
    unexplained = [
        option.name
        for option in command.params
        if isinstance(option, click.Option) and not option.help and option.name != "help"
    ]
    assert unexplained == []


@pytest.mark.parametrize("path", [(), *COMMANDS], ids=" ".join)
def test_an_option_that_there_is_not_is_told_and_ends_with_2(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--nonsense"])
    assert result.exit_code == 2
    assert "No such option" in result.stderr


@pytest.mark.parametrize(
    ("words", "near"), [(("supress",), "suppress"), (("incidents", "resolv"), "resolve"), (("policy", "chek"), "check")]
)
def test_a_command_that_there_is_not_is_told_with_the_nearest_one(words: tuple[str, ...], near: str) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert f"Did you mean {near}" in result.stderr


def test_what_is_broken_off_ends_with_130(dlr: Dlr, tmp_path: Path) -> None:
    pipe = tmp_path / "list.csv"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "cli.main", "suppress", "import", str(pipe)]
    environment = {**os.environ, **dlr.settings}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, start_new_session=True) as process:
        assert process.stderr is not None
        with pipe.open("w"):  # waits until the command reads
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
        assert process.wait(30) == 130
    assert said.strip() == b"Error: Broken off."
