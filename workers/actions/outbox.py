"""Send what waits in the outbox: claim, act, record."""

from workers.context import Context


def send_outbox(context: Context, seconds: float) -> int:
    """Send what is due for at most about `seconds`; return how many rows were settled."""
    return 0
