"""What commands print: tables on a terminal, plain lines in a pipe, JSON when asked."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

F = TypeVar("F", bound=Callable[..., Any])

as_json = "json"


def format_option(command: F) -> F:
    """Give a command `--format text|json`."""
    choice = click.Choice(["text", "json"])
    return click.option("--format", "form", type=choice, default="text", show_default=True, help="Form of the output.")(
        command
    )


def print_json(value: Any) -> None:
    """Print `value` as JSON, indented for people on a terminal and on one line for programs."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(value, indent=indent, ensure_ascii=False, default=str))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """Print rows: a table on a terminal, else one line a row with tabs between the cells and no header."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(_cell(cell).replace("\t", " ").replace("\n", " ") for cell in row))
        return
    table = Table(title=title or None, title_justify="left", header_style="bold", expand=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(cell)) for cell in row))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def fail(message: str, code: int = 1) -> click.ClickException:
    """Return the exception that ends a command with `message` on standard error and exit code `code`."""
    failure: Callable[[str], click.ClickException] = type("Failure", (click.ClickException,), {"exit_code": code})
    return failure(message)
