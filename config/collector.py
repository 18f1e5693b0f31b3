"""How often Python looks for cycles of garbage."""

import gc
from typing import Final

# How many objects more than were freed make it run. A request may leave a cycle that holds its body: few of those.
_OF_REQUESTS: Final = 50_000
# A slice makes hundreds of thousands of objects and frees them all at its end without any cycle. The collector's
# defaults would walk through them again and again: a fifth of a worker's time went there (bench/README.md).
OF_SLICES: Final = 400_000


def calm_collector(new_objects: int = _OF_REQUESTS) -> None:
    """Let the collector run seldom, and never over what the process has loaded at its start. Call it after a fork."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(new_objects, 20, 50)
