"""Secrets from the environment or from files, two of which may be live at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self


class Secret:
    """One secret setting. Several live values, separated by white space, let it be rotated without a gap.

    A value that came from a file is read again whenever the file changes. Its text never shows in `repr` or a log.
    """

    __slots__ = ("_path", "_stamp", "_values")

    def __init__(self, text: str = "", path: Path | None = None) -> None:
        self._values = tuple(text.split())
        self._path = path
        self._stamp: tuple[int, int] | None = None

    @classmethod
    def from_environment(cls, name: str, environ: Mapping[str, str]) -> Self:
        """Return the secret of the variable `name`, or of the file that `name`_FILE names.

        Raises `ValueError` where both are set, and `OSError` where the file cannot be read.
        """
        text, file = environ.get(name, ""), environ.get(f"{name}_FILE", "")
        if text and file:
            raise ValueError(f"both {name} and {name}_FILE are set; leave one of them out")
        secret = cls(text, Path(file) if file else None)
        secret.values()
        return secret

    def values(self) -> tuple[str, ...]:
        """Return the live values, the newest of the file included."""
        if self._path is not None:
            try:
                found = self._path.stat()
                stamp = (found.st_mtime_ns, found.st_size)
                if stamp != self._stamp:
                    self._values = tuple(self._path.read_text("utf-8").split())
                    self._stamp = stamp
            except OSError:
                # While a file is being replaced it may be away for a moment: what was read before still counts.
                if self._stamp is None:
                    raise
        return self._values

    def __bool__(self) -> bool:
        return bool(self._path) or bool(self._values)

    def __repr__(self) -> str:
        return "Secret(set)" if self else "Secret()"
