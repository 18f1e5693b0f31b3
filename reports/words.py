"""Inbound messages by which a person opts out or in."""

import re
from dataclasses import dataclass
from typing import Final, Self

STOP: Final = "stop"
START: Final = "start"
MENTION: Final = "mention"

_EDGES: Final = re.compile(r"^[\W_]+|[\W_]+$")
_WORD: Final = re.compile(r"[^\W_]+")
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class OptWords:
    """The words that count. `nanp` are stop words for numbers that begin with 1, and ordinary replies elsewhere."""

    stop: frozenset[str]
    nanp: frozenset[str]
    start: frozenset[str]

    @classmethod
    def of(cls, stop: str, nanp: str, start: str) -> Self:
        """Read three lists of words separated by commas."""
        return cls(_words(stop), _words(nanp), _words(start))

    def asks(self, text: str, sender: str) -> str:
        """Return what an inbound `text` from the number `sender` asks for: stop, start, or nothing.

        Only a text that **is** a stop word counts. One that merely contains it gives `mention`: a person should read
        it, and nobody is cut off over "I can't stop smiling".
        """
        stops = self.stop | (self.nanp if sender.startswith("1") else frozenset())
        plain = _plain(text)
        if plain in stops:
            return STOP
        if plain in self.start:
            return START
        padded = " ".join(["", *_WORD.findall(plain), ""])
        return MENTION if any(f" {word} " in padded for word in self.stop) else ""


def _words(text: str) -> frozenset[str]:
    return frozenset(plain for word in text.split(",") if (plain := _plain(word)))


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", _EDGES.sub("", text.casefold().strip()))
