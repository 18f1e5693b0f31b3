"""The Celery application without its tasks: whoever rings the doorbell needs the names and not the code.

The values follow from what was measured with Celery 5.7 on Redis; docs/operations.md says what each one prevents.
"""

import time
from typing import Any, Final

from celery import Celery
from kombu import Exchange, Queue

from config.names import BELL, KEY_PREFIX, QUEUE_PROCESS, QUEUES, TASK_PROCESS_INBOX, TASKS

_VISIBILITY: Final = 300
_PUBLISH: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}
# After a failed ring the broker is left alone this long: each try during an outage would cost the caller 0.6 s.
_REST: Final = 2.0


def make_broker(url: str, timeout: float = 0.3) -> Celery:
    """Return a Celery application on the Redis at `url`; `timeout` (seconds) bounds every single socket operation."""
    app = Celery("dlr", broker=url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        result_backend=None,
        enable_utc=True,
        timezone="UTC",
        task_default_queue=QUEUE_PROCESS,
        task_create_missing_queues=False,
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
        task_routes={task: {"queue": queue} for task, queue in TASKS.items()},
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_retry_on_worker_lost=True,
        task_acks_on_failure=True,
        task_acks_on_timeout=True,
        worker_prefetch_multiplier=1,
        worker_eta_task_limit=1000,
        task_soft_time_limit=45,
        task_time_limit=60,
        visibility_timeout=_VISIBILITY,
        broker_transport_options={
            "visibility_timeout": _VISIBILITY,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "socket_keepalive": True,
            "health_check_interval": 25,
            "global_keyprefix": KEY_PREFIX,
            "client_name": "dlr",
            **_PUBLISH,
        },
        task_publish_retry=True,
        task_publish_retry_policy=_PUBLISH,
        broker_pool_limit=10,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        worker_max_tasks_per_child=1000,
        worker_max_memory_per_child=300_000,
        worker_soft_shutdown_timeout=20.0,
        worker_enable_soft_shutdown_on_idle=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        task_send_sent_event=False,
        worker_proc_alive_timeout=30,
    )
    return app


class Doorbell:
    """Tells the workers that something waits in the inbox. Losing a ring costs one sweep interval, nothing more."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._rest_until = 0.0

    def ring(self, task: str = TASK_PROCESS_INBOX, **options: Any) -> bool:
        """Send `task` by name; whether it left. Never raises, and returns within well under a second."""
        if time.monotonic() < self._rest_until:
            return False
        try:
            self._app.send_task(task, **options)
        except Exception:  # whatever the broker's client raises: the callback is committed, the sweep will find it
            self._rest_until = time.monotonic() + _REST
            return False
        return True

    def answered(self) -> None:
        """Say that the waiting ring is being answered, so that the next commit rings again. Never raises."""
        try:
            with self._app.connection_for_write() as connection:
                # This client puts the prefix before every key by itself.
                connection.default_channel.client.delete(BELL)
        except Exception:  # the key ends by itself within a second
            return
