"""Send messages again: claim, ask everything once more, say so, post once, record."""

from workers.actions.resend.resender import Resender
from workers.actions.resend.run import send_planned

__all__ = ["Resender", "send_planned"]
