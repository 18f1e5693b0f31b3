"""The send endpoints that we can read: one line each, with what differs between them.

Sources: OUTBOUND 1.1 (capabilities), 2 (error shapes and rate limits), 3 (logs); request, answer and throttling of
Infobip's OpenAPI 3.210.0. What is not here (deprecated versions, XML bodies) is passed through unread.
"""

import re
from datetime import timedelta
from typing import Final

from infobip.outbound import shapes
from infobip.outbound.endpoint import Answer, Endpoint, Problem, Rate

_ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(name="sms-3", path="/sms/3/messages", channel="sms", logs="/sms/3/logs"),
    Endpoint(
        name="sms-2",
        path="/sms/2/text/advanced",
        channel="sms",
        shape=shapes.LEGACY,
        answers_to="to",
        problem=Problem.LEGACY,
        clips_ids=True,
        logs="/sms/1/logs",
        least_validity=timedelta(minutes=1),
    ),
    Endpoint(
        name="sms-2-binary",
        path="/sms/2/binary/advanced",
        channel="sms",
        shape=shapes.LEGACY,
        answers_to="to",
        problem=Problem.LEGACY,
        clips_ids=True,
        logs="/sms/1/logs",
        least_validity=timedelta(minutes=1),
    ),
    Endpoint(
        name="email-4",
        path="/email/4/messages",
        channel="email",
        shape=shapes.EMAIL,
        logs="/email/4/logs",
        rate=Rate(4000),
        recipients_max=1000,
    ),
    # That the older logs show what these two send is inferred from their common error shape; whoever asks them looks
    # for a later message of the same endpoint as well.
    Endpoint(
        name="email-3",
        path="/email/3/send",
        channel="email",
        shape=shapes.FORM,
        answers_to="to",
        problem=Problem.LEGACY,
        logs="/email/1/logs",
        logs_rate=Rate(60, 60),
        rate=Rate(4000),
        recipients_max=1000,
    ),
    Endpoint(
        name="email-mime",
        path="/email/4/mime",
        channel="email",
        shape=shapes.MIME,
        answers_to="to",
        problem=Problem.LEGACY,
        logs="/email/1/logs",
        logs_rate=Rate(60, 60),
        rate=Rate(4000),
        recipients_max=1000,
    ),
    Endpoint(
        name="tts-single",
        path="/tts/3/single",
        channel="voice",
        shape=shapes.TTS_SINGLE,
        answers_to="to",
        problem=Problem.LEGACY,
        sets_ids=False,
        logs="/tts/3/logs",
        rate=Rate(2000),
        callback_data_max=0,
    ),
    Endpoint(
        name="tts-multi",
        path="/tts/3/multi",
        channel="voice",
        shape=shapes.TTS_MULTI,
        answers_to="to",
        problem=Problem.LEGACY,
        sets_ids=False,
        logs="/tts/3/logs",
        rate=Rate(2000),
        callback_data_max=0,
        recipients_max=20_000,
    ),
    Endpoint(
        name="tts-advanced",
        path="/tts/3/advanced",
        channel="voice",
        shape=shapes.VOICE,
        answers_to="to",
        problem=Problem.LEGACY,
        logs="/tts/3/logs",
        rate=Rate(2000),
        callback_data_max=700,
        recipients_max=20_000,
        least_validity=timedelta(minutes=1),
    ),
    # 200 characters of callbackData: INBOUND 4. That the logs of voice show scenarios too is inferred.
    Endpoint(
        name="ivr",
        path="/voice/ivr/1/messages",
        channel="voice",
        shape=shapes.VOICE,
        answers_to="to",
        problem=Problem.LEGACY,
        logs="/tts/3/logs",
        callback_data_max=200,
        recipients_max=20_000,
        least_validity=timedelta(minutes=1),
    ),
    Endpoint(
        name="whatsapp-template",
        path="/whatsapp/1/message/template",
        channel="whatsapp",
        shape=shapes.WHATSAPP_TEMPLATE,
        answers_to="to",
        problem=Problem.LEGACY,
        rate=Rate(4000),
    ),
    Endpoint(
        name="whatsapp",
        path="/whatsapp/1/message/{kind}",
        channel="whatsapp",
        shape=shapes.WHATSAPP,
        answer=Answer.FLAT,
        answers_to="to",
        problem=Problem.LEGACY,
        rate=Rate(4000),
    ),
    Endpoint(name="mms-2", path="/mms/2/messages", channel="mms", logs="/mms/2/logs"),
    Endpoint(name="viber-2", path="/viber/2/messages", channel="viber", logs="/viber/2/logs"),
    Endpoint(name="viber-bot", path="/viber-bot/1/messages", channel="viber-bot", logs="/viber-bot/1/logs"),
    Endpoint(name="rcs-2", path="/rcs/2/messages", channel="rcs", logs="/rcs/2/logs"),
    # It has no logs of its own, and that a channel's logs show its messages is not stated (OUTBOUND 3).
    Endpoint(
        name="messages-api",
        path="/messages-api/1/messages",
        channel="messages-api",
        least_validity=timedelta(seconds=10),
    ),
    Endpoint(
        name="push-3",
        path="/push/3/messages",
        channel="push",
        shape=shapes.PUSH,
        logs="/push/3/logs",
        rate=Rate(2500),
        unit="HOURS",
        least_validity=timedelta(seconds=30),
    ),
    Endpoint(
        name="omni",
        path="/omni/1/advanced",
        channel="omni",
        shape=shapes.OMNI,
        answers_to="to",
        problem=Problem.LEGACY,
        logs="/omni/1/logs",
    ),
    Endpoint(name="zalo", path="/zalo/2/messages", channel="zalo", logs="/zalo/1/logs", logs_rate=Rate(10, 60)),
    Endpoint(name="line", path="/line/1/messages", channel="line"),
    Endpoint(name="kakao-alim", path="/kakao-alim/1/messages", channel="kakao", logs="/kakao-alim/1/logs"),
    Endpoint(name="kakao-chingu", path="/kakao-chingu/1/messages", channel="kakao", logs="/kakao-chingu/1/logs"),
    Endpoint(name="kakao-sangdam", path="/kakao-sangdam/1/messages", channel="kakao", logs="/kakao-sangdam/1/logs"),
    Endpoint(name="messenger", path="/messenger/1/messages", channel="messenger", logs="/messenger/1/logs"),
    Endpoint(name="instagram", path="/instagram/1/messages", channel="instagram", logs="/instagram/1/logs"),
    Endpoint(name="apple", path="/apple-mfb/1/messages", channel="apple", logs="/apple-mfb/1/logs"),
    Endpoint(name="tiktok", path="/tiktok/1/messages", channel="tiktok", logs="/tiktok/1/logs"),
)

ENDPOINTS: Final = {endpoint.name: endpoint for endpoint in _ENDPOINTS}

_KIND: Final = "{kind}"
_EXACT: Final = {(endpoint.method, endpoint.path): endpoint for endpoint in _ENDPOINTS if _KIND not in endpoint.path}
_PATTERNS: Final = tuple(
    (
        endpoint.method,
        re.compile(re.escape(endpoint.path).replace(re.escape(_KIND), r"[a-z-]{1,40}(?:/[a-z-]{1,60})?")),
        endpoint,
    )
    for endpoint in _ENDPOINTS
    if _KIND in endpoint.path
)


def find(method: str, path: str) -> Endpoint | None:
    """Return the endpoint of a request, or None: then it is none of ours to read. `path` is without the query."""
    method = method.upper()
    found = _EXACT.get((method, path))
    if found is not None:
        return found
    return next((one for verb, form, one in _PATTERNS if verb == method and form.fullmatch(path)), None)
