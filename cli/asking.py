"""The question before a change that cannot be taken back."""

import sys

import click

from cli.output import fail


def confirm(question: str) -> None:
    """Ask, and go on only after a yes; the answer may come by a pipe.

    Ends the command with 1 after a no, with 2 where nobody is there to answer, and with 130 where it is broken off.
    """
    try:
        is_agreed = click.confirm(question, err=True)
    except click.Abort as error:
        click.echo("", err=True)
        if sys.stdin.isatty() or isinstance(error.__context__, KeyboardInterrupt):
            raise fail("Broken off: nothing was done.", 130) from None
        raise fail("Nobody is there to answer, so nothing was done. --yes answers beforehand.", 2) from None
    if not is_agreed:
        raise fail("The answer was no: nothing was done.")
