"""Effects on the world, each a drain over rows that were written with the decisions."""

from workers.actions.outbox import send_outbox

__all__ = ["send_outbox"]
