"""The HTTP side: receive, authenticate, keep, answer."""
