"""A file that nobody else may read, and that takes no other's place unasked."""

import os
import secrets
from pathlib import Path

from cli.output import Failure, fail


def check(path: Path, *, force: bool) -> None:
    """End the command where the file could not be written, before the work is done."""
    if path.is_dir():
        raise fail(f"{path} is a folder. Name a file in it.", 2)
    if not path.parent.is_dir():
        raise fail(f"There is no folder {path.parent}. Make it first, or name another.", 2)
    if os.path.lexists(path) and not force:
        raise _taken(path)


def write(path: Path, text: str, *, force: bool) -> None:
    """Write a file with mode 0600, all of it or nothing; with `force` in the place of another."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if force:
                os.replace(draft, path)
            else:
                # Unlike a renaming, a link never takes the place of what is there.
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise fail(f"{path} cannot be written: {error.strerror}. Name another file.") from None


def _taken(path: Path) -> Failure:
    return fail(f"{path} is there already. Name another file, or let --force replace it.", 2)
