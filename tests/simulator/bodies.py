"""One request of each send endpoint, and how its answer looks."""

from dataclasses import dataclass
from typing import Any, Final

PERSON: Final = "447700900123"
DEVICE: Final = "c0ffee00-aaaa-4bbb-8ccc-000000000123"
MAIL: Final = "reader@example.org"
ID: Final = "order-71-a"
NOTE: Final = "order=71"


@dataclass(frozen=True)
class Door:
    """A send endpoint. `family` is what `infobip.inbound` takes its reports for, `xml` whether they come as XML."""

    path: str
    channel: str
    body: dict[str, Any]
    family: str = "unified"
    address: str = "destination"
    legacy: bool = False
    flat: bool = False
    recipient: str = PERSON
    form: bool = False
    has_id: bool = True
    xml: bool = True
    status: int = 26


def hooked(body: dict[str, Any], url: str, content_type: str = "") -> dict[str, Any]:
    """Return a body that wants its reports at `url`, with the sender's own note in them."""
    if "messages" not in body:
        asked = {"notifyContentType": content_type} if content_type else {}
        return {**body, "notifyUrl": url, "callbackData": NOTE, **asked}
    (message,) = body["messages"]
    if "from" in message:
        asked = {"notifyContentType": content_type} if content_type else {}
        return {"messages": [{**message, "notifyUrl": url, "callbackData": NOTE, **asked}]}
    kind = {"contentType": content_type} if content_type else {}
    return {"messages": [{**message, "webhooks": {"delivery": {"url": url}, "callbackData": NOTE, **kind}}]}


def current(content: dict[str, Any], to: str = PERSON) -> dict[str, Any]:
    destination = {"to": to, "messageId": ID}
    return {"messages": [{"sender": "Shop", "destinations": [destination], "content": content}]}


def legacy(**content: Any) -> dict[str, Any]:
    return {"messages": [{"from": "Shop", "destinations": [{"to": PERSON, "messageId": ID}], **content}]}


TEXT: Final = {"type": "TEXT", "text": "Your parcel is here"}
WHATSAPP: Final = {"from": "442079460001", "to": PERSON, "messageId": ID}
TEMPLATE: Final = {"templateName": "parcel", "language": "en", "templateData": {"body": {"placeholders": ["71"]}}}
PUSH: Final = {"type": "REGISTRATION", "pushRegistrationId": DEVICE, "messageId": ID}
MAILED: Final = {"to": [{"destination": MAIL, "messageId": ID}]}
WORDS: Final = {"subject": "Your parcel", "text": "It is here"}

DOORS: Final = (
    Door("/sms/3/messages", "sms", current({"text": "Your parcel is here"})),
    Door("/sms/2/text/advanced", "sms", legacy(text="Parcel"), "sms-legacy", "to", legacy=True),
    Door("/sms/2/binary/advanced", "sms", legacy(binary={"hex": "48 69"}), "sms-legacy", "to", legacy=True),
    Door(
        "/email/4/messages",
        "email",
        {"messages": [{"sender": "shop@example.com", "destinations": [MAILED], "content": WORDS}]},
        "email",
        recipient=MAIL,
        status=7,
    ),
    Door(
        "/email/3/send",
        "email",
        {"from": "shop@example.com", "to": MAIL, "messageId": ID, **WORDS},
        "email",
        "to",
        legacy=True,
        recipient=MAIL,
        form=True,
    ),
    Door("/tts/3/advanced", "voice", legacy(text="Your code", language="en"), "voice", "to", legacy=True),
    Door(
        "/tts/3/single",
        "voice",
        {"from": "442079460001", "to": PERSON, "text": "Your code", "language": "en"},
        "voice",
        "to",
        legacy=True,
        has_id=False,
    ),
    Door("/voice/ivr/1/messages", "voice", legacy(scenarioId="E83E787CF2613450"), "voice", "to", legacy=True),
    Door(
        "/whatsapp/1/message/text",
        "whatsapp",
        {**WHATSAPP, "content": {"text": "Hi"}},
        "whatsapp",
        "to",
        legacy=True,
        flat=True,
        xml=False,
        status=7,
    ),
    Door(
        "/whatsapp/1/message/interactive/buttons",
        "whatsapp",
        {**WHATSAPP, "content": {"body": {"text": "Yes?"}, "action": {"buttons": []}}},
        "whatsapp",
        "to",
        legacy=True,
        flat=True,
        xml=False,
        status=7,
    ),
    Door(
        "/whatsapp/1/message/template",
        "whatsapp",
        {"messages": [{**WHATSAPP, "content": TEMPLATE}]},
        "whatsapp",
        "to",
        legacy=True,
        xml=False,
        status=7,
    ),
    Door("/mms/2/messages", "mms", current({"title": "Parcel", "messageSegments": [TEXT]})),
    Door("/viber/2/messages", "viber", current(TEXT)),
    Door("/rcs/2/messages", "rcs", current(TEXT), "rcs"),
    Door(
        "/messages-api/1/messages",
        "messages-api",
        {"messages": [{"channel": "SMS", **current({"body": TEXT})["messages"][0]}]},
        "messages-api",
    ),
    Door(
        "/push/3/messages",
        "push",
        {"messages": [{"sender": "APP-71", "destinations": [PUSH], "content": TEXT}]},
        recipient=DEVICE,
        status=7,
    ),
    Door(
        "/omni/1/advanced",
        "omni",
        {
            "scenarioKey": "KEY-71",
            "destinations": [{"to": {"phoneNumber": PERSON}, "messageId": ID}],
            "viber": {"text": "Parcel"},
            "sms": {"text": "Parcel"},
        },
        "omni",
        "to",
        legacy=True,
        xml=False,
        status=7,
    ),
    Door("/zalo/2/messages", "zalo", current({"templateId": 71, "type": "TEMPLATE"}), "zalo"),
    Door("/line/1/messages", "line", current(TEXT, "Uexample0001"), recipient="Uexample0001"),
    Door("/kakao-alim/1/messages", "kakao", current({"templateCode": "c1", "text": "Parcel"})),
    Door("/messenger/1/messages", "messenger", current(TEXT, "5550001112223"), recipient="5550001112223"),
    Door("/instagram/1/messages", "instagram", current(TEXT, "5550001112223"), recipient="5550001112223"),
    Door("/apple-mfb/1/messages", "apple", current(TEXT, "urn:mbid:A+b/c="), recipient="urn:mbid:A+b/c="),
    Door("/tiktok/1/messages", "tiktok", current(TEXT, "uFictional"), recipient="uFictional"),
)
BY_PATH: Final = {door.path: door for door in DOORS}
