"""`dlr settings`: every setting, its default and what it is for."""

import dataclasses
from typing import Any

import click

from cli.output import format_option, print_json, print_table
from config.rows import shown
from config.settings import PREFIX, Settings


@click.command()
@format_option
def settings(form: str) -> None:
    """List every setting with its default and what it is for."""
    rows = describe()
    if form == "json":
        print_json(rows)
    else:
        print_table(("setting", "default", "what for"), [(row["name"], row["default"], row["help"]) for row in rows])


def describe() -> list[dict[str, Any]]:
    """Return one object for each setting: name, group, default, example, help."""
    return [
        {
            "name": PREFIX + row.name.upper(),
            "group": row.metadata["group"],
            "default": shown(row.default),
            "example": row.metadata["example"],
            "help": row.metadata["help"],
        }
        for row in _in_order()
    ]


def _in_order() -> "list[dataclasses.Field[Any]]":
    """Return the rows as they stand in `Settings`; those of its bases, which Python puts first, at the end."""
    rows = dataclasses.fields(Settings)
    own = [row for row in rows if row.name in Settings.__annotations__]
    return own + [row for row in rows if row.name not in Settings.__annotations__]
