"""The baseline's Celery application and its one task: `celery -A bench.baseline.tasks worker`."""

import os
from typing import Any

from celery import Celery
from sqlalchemy.orm import Session

from bench.baseline.tables import Base, StoredReport, engine

app = Celery("baseline", broker=os.environ["BASELINE_BROKER"])
app.conf.task_ignore_result = True


@app.task  # type: ignore[untyped-decorator]  # celery ships no types
def store_report(report: dict[str, Any]) -> None:
    """Write one report."""
    with Session(engine()) as session:
        session.add(StoredReport(**report))
        session.commit()


if __name__ == "__main__":
    Base.metadata.create_all(engine())
