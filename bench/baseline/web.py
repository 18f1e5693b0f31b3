"""The baseline's endpoint: `gunicorn bench.baseline.web:app`."""

from typing import Any

from flask import Flask, request
from marshmallow import ValidationError

from bench.baseline.schemas import CallbackSchema
from bench.baseline.tasks import store_report

app = Flask("baseline")
schema = CallbackSchema()


@app.post("/webhook")
def receive() -> tuple[dict[str, Any], int]:
    """Validate the callback, queue each of its reports, answer."""
    try:
        callback = schema.load(request.get_json())
    except ValidationError as error:
        return {"errors": error.messages}, 422
    for report in callback["results"]:
        store_report.delay(_row(report))
    return {"received": len(callback["results"])}, 200


def _row(report: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored of a report: handing the whole of it to the task would be slower."""
    error = report.get("error", {})
    return {
        "message_id": report["message_id"],
        "recipient": report["to"],
        "status_group": report["status"]["group_name"],
        "status_name": report["status"]["name"],
        "error_name": error.get("name", ""),
        "permanent": error.get("permanent", False),
        "done_at": report.get("done_at"),
    }


@app.get("/readyz")
def ready() -> dict[str, str]:
    """Answer that the process lives."""
    return {"status": "ready"}
