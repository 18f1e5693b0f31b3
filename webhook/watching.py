"""Which registered sends are watched for silence. Pure."""

from datetime import datetime

from policy.history import Purpose
from policy.silence import PATIENCE, Sent
from store.sends import Send
from store.silences import Watch
from webhook.opinions import Opinion


def watch_of(
    send: Send, opinion: Opinion, *, fallback: str, address: str, leaves_at: datetime, now: datetime
) -> Watch | None:
    """Return what there is to watch of a send, or nothing.

    `fallback` is the channel of the content that was registered besides, empty where there is none: nothing else can
    be started. `address` is the recipient's, normalised; `leaves_at` is when Infobip sends it.
    """
    # What Infobip itself goes on with, or repeats, needs no second one who does.
    if not (fallback and send.content and send.message_id) or send.failover or send.repeats or send.obstacle:
        return None
    sent = Sent(
        account=send.account,
        channel=send.channel,
        purpose=Purpose(send.purpose),
        sender=send.sender,
        application=send.application,
        entity=send.entity,
        campaign=send.campaign,
        address=address,
    )
    rule = opinion.silence_of(sent)
    if rule is None or rule.on_silence is None or rule.on_silence.then != fallback:
        return None
    due_at = leaves_at + rule.on_silence.after
    if now - due_at > PATIENCE or (send.not_after is not None and due_at >= send.not_after):
        return None
    return Watch(
        key=send.key,
        account=send.account,
        recipient=send.recipient,
        channel=send.channel,
        rule=rule.id,
        instead=fallback,
        sent_at=send.sent_at,
        due_at=due_at,
    )
