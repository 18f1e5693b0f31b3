"""'Did you mean': the sentence that ends an error about a word nobody knows."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a sentence that offers the nearest words of `known`, or all of them where none is near."""
    names = sorted(known)
    near = get_close_matches(word, names, n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else f"Write one of {', '.join(names)}."
