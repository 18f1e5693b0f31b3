"""Facts about Infobip's codes: tables, and what a report's status and error mean. No opinion, no I/O after loading."""

from codes.causes import CAUSES, Blame, Cause
from codes.channels import CHANNELS
from codes.errors import CodesError, TableError, TableFault
from codes.lookup import Codes, load_codes, lookup, shipped
from codes.meaning import How, Match, Meaning, Outcome
from codes.ref import CodeRef
from codes.table import Row, Tables, load

__all__ = [
    "CAUSES",
    "CHANNELS",
    "Blame",
    "Cause",
    "CodeRef",
    "Codes",
    "CodesError",
    "How",
    "Match",
    "Meaning",
    "Outcome",
    "Row",
    "TableError",
    "TableFault",
    "Tables",
    "load",
    "load_codes",
    "lookup",
    "shipped",
]
