"""One request for each send endpoint, with what must be read from it, and its answer. Values are ours."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

ANNA: Final = "385910000001"
BORIS: Final = "385910000002"
CLARA: Final = "385910000003"
ANNA_AT: Final = "anna@post.example"
BORIS_AT: Final = "boris@post.example"
CLARA_AT: Final = "clara@post.example"
REPORTS: Final = "https://app.fernhill.example/reports?key=s3cr3t"
NOON: Final = datetime(2026, 12, 1, 12, tzinfo=UTC)
NOON_TEXT: Final = "2026-12-01T13:00:00.000+0100"


@dataclass(frozen=True)
class Sample:
    """A request, the facts of each of its destinations in order, and the facts that all of them share."""

    endpoint: str
    path: str
    body: dict[str, Any]
    each: list[dict[str, Any]]
    all: dict[str, Any] = field(default_factory=dict)
    bulk_id: str = ""


def unified(channel_options: dict[str, Any] | None = None, **message: Any) -> dict[str, Any]:
    """Return a message of the newer family with every member that is read."""
    return {
        "sender": "Fernhill",
        "destinations": [{"to": ANNA, "messageId": "order-17"}, {"to": BORIS}],
        "content": {"text": "Your parcel is at the gate."},
        "options": {
            "platform": {"applicationId": "shop", "entityId": "north"},
            "validityPeriod": {"amount": 25},
            "campaignReferenceId": "autumn",
            **(channel_options or {}),
        },
        "webhooks": {"delivery": {"url": REPORTS, "intermediateReport": True}, "callbackData": '{"order": 17}'},
        **message,
    }


UNIFIED_FACTS: Final[dict[str, Any]] = {
    "sender": "Fernhill",
    "application": "shop",
    "entity": "north",
    "campaign": "autumn",
    "callback_data": '{"order": 17}',
    "report_url": REPORTS,
    "notify": True,
    "validity": timedelta(minutes=25),
    "failover": (),
    "repeats": False,
    "shared": False,
    "obstacle": "",
}
TWO: Final[list[dict[str, Any]]] = [
    {"addresses": [ANNA], "message_id": "order-17"},
    {"addresses": [BORIS], "message_id": ""},
]
LEGACY: Final[dict[str, Any]] = {
    "destinations": [{"to": ANNA, "messageId": "order-17"}, {"to": BORIS}],
    "from": "Fernhill",
    "callbackData": "17",
    "notifyUrl": REPORTS,
    "validityPeriod": 25,
    "sendAt": NOON_TEXT,
}
LEGACY_FACTS: Final[dict[str, Any]] = {
    "sender": "Fernhill",
    "callback_data": "17",
    "report_url": REPORTS,
    "validity": timedelta(minutes=25),
    "send_at": NOON,
}
SMS_FAILOVER: Final[dict[str, Any]] = {
    "smsFailover": {"sender": "Fernhill", "text": "At the gate.", "validityPeriod": {"amount": 2, "timeUnit": "HOURS"}}
}


def _unified(endpoint: str, path: str, channel: str, options: dict[str, Any] | None = None, **facts: Any) -> Sample:
    body = {"messages": [unified(options)], "options": {"schedule": {"bulkId": "batch-3", "sendAt": NOON_TEXT}}}
    return Sample(endpoint, path, body, TWO, {**UNIFIED_FACTS, "channel": channel, "send_at": NOON, **facts}, "batch-3")


SAMPLES: Final = [
    _unified("sms-3", "/sms/3/messages", "sms", {"regional": {"indiaDlt": {"principalEntityId": "1201"}}}),
    _unified("mms-2", "/mms/2/messages", "mms", SMS_FAILOVER, failover=("sms",)),
    _unified("viber-2", "/viber/2/messages", "viber", SMS_FAILOVER, failover=("sms",)),
    _unified("viber-bot", "/viber-bot/1/messages", "viber-bot"),
    _unified("rcs-2", "/rcs/2/messages", "rcs", {"mmsFailover": {"content": {"title": "Gate"}}}, failover=("mms",)),
    _unified("zalo", "/zalo/2/messages", "zalo"),
    _unified("line", "/line/1/messages", "line", SMS_FAILOVER, failover=("sms",)),
    _unified("kakao-alim", "/kakao-alim/1/messages", "kakao", SMS_FAILOVER, failover=("sms",)),
    _unified("kakao-chingu", "/kakao-chingu/1/messages", "kakao"),
    _unified("kakao-sangdam", "/kakao-sangdam/1/messages", "kakao"),
    _unified("messenger", "/messenger/1/messages", "messenger"),
    _unified("instagram", "/instagram/1/messages", "instagram"),
    _unified("apple", "/apple-mfb/1/messages", "apple"),
    _unified("tiktok", "/tiktok/1/messages", "tiktok"),
    Sample(
        "messages-api",
        "/messages-api/1/messages",
        {
            "messages": [
                unified(
                    channel="VIBER_BM",
                    destinations=[
                        {
                            "messageId": "order-17",
                            "byChannel": [
                                {"channel": "VIBER_BM", "to": ANNA, "messageId": "step-1"},
                                {"channel": "WHATSAPP", "to": BORIS},
                            ],
                        }
                    ],
                    failover=[{"channel": "WHATSAPP", "sender": "385910000099"}, {"channel": "SMS"}],
                ),
                unified(channel="APPLE_MB", destinations=[{"to": "urn:mbid:AB+c/d=="}]),
            ]
        },
        [
            {"addresses": [ANNA, BORIS], "message_id": "order-17", "channel": "viber", "failover": ("whatsapp", "sms")},
            {"addresses": ["urn:mbid:AB+c/d=="], "channel": "apple", "failover": ()},
        ],
        {"validity": timedelta(minutes=25)},
    ),
    Sample(
        "push-3",
        "/push/3/messages",
        {
            "messages": [
                unified(
                    {"validityPeriod": {"amount": 3}, "sendAt": NOON_TEXT},
                    sender="app-code-9",
                    destinations=[
                        {"type": "REGISTRATION", "pushRegistrationId": "reg-77", "messageId": "order-17"},
                        {"type": "EXTERNAL_USER_ID", "externalUserId": "user-5"},
                        {"type": "PHONE_NUMBER", "phoneNumber": ANNA},
                        {"type": "EMAIL", "email": ANNA_AT},
                        {"type": "MULTIPLE", "$and": [{"Colour": "green"}]},
                    ],
                )
            ]
        },
        [
            {"addresses": ["reg-77"], "message_id": "order-17"},
            {"addresses": ["user-5"]},
            {"addresses": [ANNA]},
            {"addresses": [ANNA_AT]},
            {"addresses": [], "shared": True, "obstacle": "segment"},
        ],
        {"channel": "push", "sender": "app-code-9", "validity": timedelta(hours=3), "send_at": NOON},
    ),
    Sample(
        "email-4",
        "/email/4/messages",
        {
            "messages": [
                unified(
                    destinations=[
                        {
                            "to": [{"destination": ANNA_AT, "messageId": "order-17", "placeholders": '{"a": 1}'}],
                            "cc": [{"destination": BORIS_AT}],
                        },
                        {
                            "to": [{"destination": BORIS_AT}, {"destination": CLARA_AT}],
                            "preserveRecipients": True,
                        },
                    ]
                )
            ]
        },
        [
            {"addresses": [ANNA_AT], "message_id": "order-17", "shared": False, "obstacle": ""},
            {"addresses": [BORIS_AT], "shared": False, "obstacle": "copy"},
            {"addresses": [BORIS_AT], "shared": True, "obstacle": "several recipients"},
            {"addresses": [CLARA_AT], "shared": True, "obstacle": "several recipients"},
        ],
        {"channel": "email", "validity": timedelta(minutes=25), "report_url": REPORTS},
    ),
    Sample(
        "email-mime",
        "/email/4/mime",
        {
            "destinations": [ANNA_AT, BORIS_AT],
            "from": "desk@fernhill.example",
            "mimeMessage": "U3ViamVjdDogR2F0ZQ0KDQpIZWxsbw==",
            "notifyUrl": REPORTS,
            "bulkId": "batch-3",
        },
        [{"addresses": [ANNA_AT]}, {"addresses": [BORIS_AT]}],
        {"channel": "email", "validity": None, "report_url": REPORTS, "sender": "desk@fernhill.example"},
        "batch-3",
    ),
    Sample(
        "sms-2",
        "/sms/2/text/advanced",
        {"bulkId": "batch-3", "messages": [{**LEGACY, "text": "At the gate.", "applicationId": "shop"}]},
        TWO,
        {**LEGACY_FACTS, "channel": "sms", "application": "shop", "repeats": False},
        "batch-3",
    ),
    Sample(
        "sms-2-binary",
        "/sms/2/binary/advanced",
        {"messages": [{**LEGACY, "binary": {"hex": "48 69", "dataCoding": 0}}]},
        TWO,
        {**LEGACY_FACTS, "channel": "sms"},
    ),
    Sample(
        "tts-advanced",
        "/tts/3/advanced",
        {"messages": [{**LEGACY, "text": "Hello.", "retry": {"minPeriod": 2, "maxPeriod": 4, "maxCount": 2}}]},
        TWO,
        {**LEGACY_FACTS, "channel": "voice", "repeats": True, "obstacle": ""},
    ),
    Sample(
        "ivr",
        "/voice/ivr/1/messages",
        {"messages": [{**LEGACY, "scenarioId": "S-4", "parameters": {"name": "Anna"}}]},
        TWO,
        {**LEGACY_FACTS, "channel": "voice", "repeats": False},
    ),
    Sample(
        "tts-single",
        "/tts/3/single",
        {"text": "Hello.", "language": "en", "from": "385910000099", "to": ANNA},
        [{"addresses": [ANNA]}],
        {"channel": "voice", "message_id": "", "report_url": "", "obstacle": "no message id"},
    ),
    Sample(
        "tts-multi",
        "/tts/3/multi",
        {
            "messages": [
                {"text": "Hello.", "from": "385910000099", "to": [ANNA, BORIS]},
                {"text": "Bye.", "to": [CLARA]},
            ]
        },
        [{"addresses": [ANNA]}, {"addresses": [BORIS]}, {"addresses": [CLARA]}],
        {"channel": "voice", "message_id": "", "obstacle": "no message id"},
    ),
    Sample(
        "whatsapp",
        "/whatsapp/1/message/interactive/buttons",
        {
            "from": "385910000099",
            "to": f"+{ANNA}",
            "messageId": "order-17",
            "content": {"body": {"text": "At the gate?"}},
            "callbackData": "17",
            "notifyUrl": REPORTS,
            "entityId": "north",
        },
        [{"addresses": [ANNA], "message_id": "order-17"}],
        {"channel": "whatsapp", "validity": None, "entity": "north", "report_url": REPORTS, "failover": ()},
    ),
    Sample(
        "whatsapp-template",
        "/whatsapp/1/message/template",
        {
            "bulkId": "batch-3",
            "messages": [
                {"from": "385910000099", "to": ANNA, "messageId": "order-17", "content": {"templateName": "gate"}},
                {
                    "from": "385910000099",
                    "to": BORIS,
                    "content": {"templateName": "gate"},
                    "smsFailover": {"from": "Fernhill", "text": "At the gate."},
                },
            ],
        },
        [
            {"addresses": [ANNA], "message_id": "order-17", "failover": ()},
            {"addresses": [BORIS], "message_id": "", "failover": ("sms",)},
        ],
        {"channel": "whatsapp", "sender": "385910000099", "validity": None},
        "batch-3",
    ),
    Sample(
        "omni",
        "/omni/1/advanced",
        {
            "scenarioKey": "KEY-4",
            "bulkId": "batch-3",
            "destinations": [
                {"messageId": "order-17", "to": {"phoneNumber": ANNA, "emailAddress": ANNA_AT}},
                {"to": {"phoneNumber": BORIS}},
            ],
            "viber": {"text": "At the gate.", "validityPeriod": 90, "validityPeriodTimeUnit": "SECONDS"},
            "sms": {"text": "At the gate.", "validityPeriod": 2},
            "notifyUrl": REPORTS,
            "callbackData": "17",
            "sendAt": NOON_TEXT,
        },
        [{"addresses": [ANNA, ANNA_AT], "message_id": "order-17"}, {"addresses": [BORIS], "message_id": ""}],
        {
            "channel": "omni",
            "failover": ("viber", "sms"),
            "validity": timedelta(seconds=210),
            "send_at": NOON,
            "report_url": REPORTS,
            "callback_data": "17",
        },
        "batch-3",
    ),
]
