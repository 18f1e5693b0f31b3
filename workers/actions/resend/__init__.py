"""Send messages again: claim, ask everything once more, say so, post once, record."""
