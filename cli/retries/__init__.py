"""Resends, for people: what each waits for, and how to steer them."""
