"""Celery workers: thin tasks over a pipeline that turns callbacks into decisions."""
