"""Keep our list and Infobip's lists in step, both ways: write a row, ask, and believe only what a later read shows."""

from workers.sync.run import sync

__all__ = ["sync"]
