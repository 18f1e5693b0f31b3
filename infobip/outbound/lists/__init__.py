"""Infobip's three lists of people who get nothing: the Blocklist, e-mail suppressions, push registrations.

Each module has the requests of one; `outcome` says what their answers prove. Facts: OUTBOUND 4.
"""

from infobip.outbound.lists.outcome import (
    Accepted,
    Busy,
    Denied,
    Outcome,
    Page,
    Read,
    Record,
    Rejected,
    Unclear,
    Unsent,
)

__all__ = ["Accepted", "Busy", "Denied", "Outcome", "Page", "Read", "Record", "Rejected", "Unclear", "Unsent"]
