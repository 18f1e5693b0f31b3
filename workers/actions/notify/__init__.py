"""Telling people of incidents, over the routes of DLR_ALERT_ROUTES."""

from workers.actions.notify.kind import NotifyKind

__all__ = ["NotifyKind"]
