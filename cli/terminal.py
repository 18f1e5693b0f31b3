"""How rows and sentences look on a terminal: a table where it has room, else each row as a short paragraph."""

import sys
import textwrap
from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

# What a person copies into the next command; a piece of it is of no use.
_WHOLE: Final = frozenset({"id", "message", "callback", "setting", "rule"})
# A column narrower than this makes a ladder of its words.
_NARROWEST: Final = 12
_FRAME: Final = 3
_INDENT: Final = 4
# A cell of this length is a sentence, and wants a column of some width.
_SENTENCE: Final = 60
_WIDE: Final = 30


def draw(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of texts with a header, as wide as the terminal allows and never wider."""
    console = Console(highlight=False)
    least = [_least_width(header, [row[place] for row in rows]) for place, header in enumerate(headers)]
    if sum(least) + _FRAME * len(least) + 1 <= console.width:
        console.print(_table(headers, rows, least))
        return
    for row in rows:
        console.print(_paragraph(headers, row, console.width))


def say(text: str, indent: int = 0, first: str = "", *, err: bool = False) -> None:
    """Print a sentence: on a terminal broken between words, with `indent` blanks before each further line."""
    start = first or " " * indent
    if not (sys.stderr if err else sys.stdout).isatty():
        click.echo(start + text, err=err)
        return
    click.echo(_filled(text, Console(stderr=err).width, start, " " * indent), err=err)


def _filled(text: str, width: int, start: str, further: str) -> str:
    bare = len(click.unstyle(start))
    # Colours take no room, so the first line's beginning is put there afterwards.
    lines = textwrap.wrap(
        text,
        max(width, bare + _NARROWEST),
        initial_indent=" " * bare,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return start + "\n".join(lines)[bare:]


def _least_width(header: str, cells: Sequence[str]) -> int:
    """Return how wide a column must be so that a person can read it."""
    if header in _WHOLE:
        return max(map(len, (header, *cells)))
    if any(len(cell) > _SENTENCE for cell in cells):
        return _WIDE
    longest = max((len(word) for text in (header, *cells) for word in text.split()), default=1)
    return min(longest, _NARROWEST)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], least: Sequence[int]) -> Table:
    table = Table(header_style="bold", expand=False)
    for header, width in zip(headers, least, strict=True):
        table.add_column(header, overflow="fold", min_width=width, no_wrap=header in _WHOLE)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _paragraph(headers: Sequence[str], row: Sequence[str], width: int) -> Text:
    """Return a row as `header: value  header: value`, without what is empty. Sentences begin a line of their own."""
    margin = " " * _INDENT
    text, used = Text(), 0
    for header, value in zip(headers, row, strict=True):
        if not value:
            continue
        label = f"{header}: "
        room = width - _INDENT
        lines = [value] if len(label + value) <= room else _filled(value, room, " " * len(label), "").splitlines()
        if used and (len(lines) > 1 or used + 2 + len(label + value) > width):
            text.append(f"\n{margin}")
            used = _INDENT
        elif used:
            text.append("  ")
            used += 2
        # Labels step back behind what they name.
        text.append(label, "dim").append(f"\n{margin}".join(line.lstrip() for line in lines))
        used = width if len(lines) > 1 else used + len(label + value)
    return text
