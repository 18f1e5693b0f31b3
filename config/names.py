"""Names that processes of different releases must agree on. Never rename one: only add."""

from typing import Final

QUEUE_PROCESS: Final = "process"
QUEUE_RESEND: Final = "resend"
QUEUE_NOTIFY: Final = "notify"
QUEUE_MAINTAIN: Final = "maintain"
QUEUES: Final = (QUEUE_PROCESS, QUEUE_RESEND, QUEUE_NOTIFY, QUEUE_MAINTAIN)

TASK_PROCESS_INBOX: Final = "dlr.process_inbox"
TASK_SEND_OUTBOX: Final = "dlr.send_outbox"
TASK_FOLD: Final = "dlr.fold"
TASK_PURGE: Final = "dlr.purge"
TASK_TIDY: Final = "dlr.tidy"
TASK_RESEND: Final = "dlr.resend"
TASK_SILENCE: Final = "dlr.silence"
TASK_WATCH: Final = "dlr.watch"
TASK_BALANCE: Final = "dlr.balance"
TASK_SYNC: Final = "dlr.sync"

# task -> the queue it is sent to
TASKS: Final = {
    TASK_PROCESS_INBOX: QUEUE_PROCESS,
    TASK_SEND_OUTBOX: QUEUE_NOTIFY,
    TASK_FOLD: QUEUE_MAINTAIN,
    TASK_PURGE: QUEUE_MAINTAIN,
    TASK_TIDY: QUEUE_MAINTAIN,
    TASK_RESEND: QUEUE_RESEND,
    TASK_SILENCE: QUEUE_RESEND,
    TASK_WATCH: QUEUE_MAINTAIN,
    TASK_BALANCE: QUEUE_RESEND,
    TASK_SYNC: QUEUE_RESEND,
}

KEY_PREFIX: Final = "dlr:"
BELL: Final = "bell"
"""The key that says a ring is waiting already."""
