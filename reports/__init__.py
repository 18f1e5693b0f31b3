"""The normal form of a callback's items. Facts only: no rule, no I/O."""

from reports.address import mail_domain, normalise
from reports.report import NOTHING, Event, Report

__all__ = ["NOTHING", "Event", "Report", "mail_domain", "normalise"]
