"""What commands print: tables on a terminal, plain lines in a pipe, JSON when asked."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any, Final, TypeVar

import click

from cli.terminal import draw

F = TypeVar("F", bound=Callable[..., Any])

# What a command notes about itself: that programs read what it prints, and that it has printed for them already.
_JSON: Final = "dlr.json"
_PRINTED: Final = "dlr.printed"
NOT_FOUND: Final = "not_found"
_NAMES: Final = {1: "failed", 2: "wrong_input", 130: "interrupted"}


def format_option(command: F) -> F:
    """Give a command `--format text|json`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        callback=_note_form,
        help="Form of the output.",
    )(command)


def _note_form(ctx: click.Context, param: click.Parameter, value: str) -> str:
    ctx.meta[_JSON] = value == "json"
    return value


def print_json(value: Any) -> None:
    """Print `value` as JSON, indented for people on a terminal and on one line for programs."""
    if (ctx := click.get_current_context(silent=True)) is not None:
        ctx.meta[_PRINTED] = True
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(value, indent=indent, ensure_ascii=False, default=str))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows: a table on a terminal, else one line a row with tabs between the cells and no header."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        draw(headers, cells)
        return
    for row in cells:
        click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


class Failure(click.ClickException):
    """The end of a command that cannot do what it was asked for.

    Programs that asked for JSON get `{"error": {"code", "message"}}` on standard output, unless the answer stands
    there already; people get the message on standard error.
    """

    def __init__(self, message: str, exit_code: int, name: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click, too, asks the instance
        self.name = name
        self.details = details or {}
        # Asked now: once the exception is shown, the command's own notes are gone.
        ctx = click.get_current_context(silent=True)
        self._as_json = ctx is not None and bool(ctx.meta.get(_JSON)) and not ctx.meta.get(_PRINTED)

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell it in the form that was asked for."""
        if self._as_json:
            print_json({"error": {"code": self.name, "message": self.message, **self.details}})
        else:
            super().show(file)


def fail(message: str, code: int = 1, name: str = "", details: Mapping[str, Any] | None = None) -> Failure:
    """Return the exception that ends a command with `message` and exit code `code`: 1, or 2 for a wrong input.

    `name` is what programs tell failures apart by: `not_found`, else `failed` (1), `wrong_input` (2), `interrupted`.
    `details` are further members of the error's object.
    """
    return Failure(message, code, name or _NAMES[code], details)


def print_nothing(note: str) -> None:
    """Say in words that a listing is empty, where that does not disturb a pipe. It is an answer, not a failure."""
    click.echo(note, err=True)


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its word in the right form: `1 report`, `2 reports`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
