"""How often Python looks for cycles of garbage."""

import gc
from typing import Final

# A slice makes tens of thousands of objects and frees them all at its end without any cycle. The collector's defaults
# would walk through them again and again: a fifth of a worker's time went there (bench/README.md).
_NEW_OBJECTS: Final = 50_000


def calm_collector() -> None:
    """Let the collector run seldom, and never over what the process has loaded at its start. Call it after a fork."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 50)
