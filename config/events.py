"""The events that leave for the customer's own system: each type is named here once, with what it tells.

`config.forwarding` lets endpoints choose among them, docs/forward.md explains each one's data, and a test compares.
"""

from typing import Final

DELIVERED: Final = "message.delivered"
SEEN: Final = "message.seen"
FAILED: Final = "message.failed"
UNCONFIRMED: Final = "message.unconfirmed"
BOUNCED: Final = "message.bounced"
ADDED: Final = "suppression.added"
CHANGED: Final = "suppression.changed"
PROPOSED: Final = "suppression.proposed"
LIFTED: Final = "suppression.lifted"
ENDED: Final = "suppression.ended"
RESEND_WAITING: Final = "resend.waiting"
RESEND_SENT: Final = "resend.sent"
RESEND_REFUSED: Final = "resend.refused"
RESEND_ENDED: Final = "resend.ended"
OPENED: Final = "incident.opened"
RESOLVED: Final = "incident.resolved"
MATCHED: Final = "report.matched"
PING: Final = "test.ping"

# type -> what it tells, in one sentence. What an endpoint may list in `events`.
EVENTS: Final = {
    DELIVERED: "The message arrived.",
    SEEN: "The person opened or read the message, or followed a link in it.",
    FAILED: "The message failed, and no resend of it is left that could still leave.",
    UNCONFIRMED: "Nobody will ever know whether the message arrived; it is not sent again.",
    BOUNCED: "An e-mail that had been delivered came back.",
    ADDED: "Nothing more is sent to this person, within the scope that the event names.",
    CHANGED: "A suppression lasts longer than was said before.",
    PROPOSED: "A suppression waits for a person's consent; it does not block yet.",
    LIFTED: "A suppression, or the proposal of one, is over.",
    ENDED: "A suppression, or the proposal of one, has come to the end of its time.",
    RESEND_WAITING: "A resend cannot leave before somebody has done something: the event says what.",
    RESEND_SENT: "A resend left and was accepted.",
    RESEND_REFUSED: "A resend was refused, and the same would be refused again.",
    RESEND_ENDED: "A planned resend was cancelled, or its time is over.",
    OPENED: "Something needs a person: what it is, and what to do next.",
    RESOLVED: "An incident is over.",
}
# What is sent whatever an endpoint lists: where a rule of the policy names it, and by `dlr forward test`.
BY_NAME: Final = {
    MATCHED: "A rule of the policy says `forward` to this endpoint.",
    PING: "`dlr forward test` tries the endpoint.",
}
