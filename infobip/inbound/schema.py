"""The base of all item schemas, the objects that several families share, and the fast decoder made from a schema.

A schema is the one definition of a valid item. Loading gives a struct generated from the schema's fields; the same
struct is what msgspec decodes ordinary items into, so both ways end in one form and feed one `to_report`.
"""

from typing import Any, ClassVar

import msgspec
from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema

from infobip.inbound.fields import (
    Amount,
    Anything,
    Count,
    Flag,
    MildText,
    Text,
    TextOrNumber,
    Whole,
    WireField,
    kind_of,
)


class WireSchema(Schema):
    """An object on Infobip's wire. Unknown members are left to the raw item; no member is required.

    `identified_by` names the attributes of which one at least must be there, where an item would otherwise tell
    nothing about anything.
    """

    class Meta:
        unknown = EXCLUDE

    identified_by: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.struct = struct_of(self)

    @validates_schema(skip_on_field_errors=True)
    def _is_identified(self, data: dict[str, Any], **_: Any) -> None:
        if self.identified_by and not any(data.get(name) for name in self.identified_by):
            names = " or ".join(self.fields[name].data_key or name for name in self.identified_by)
            raise ValidationError(f"expected {names}: without them it says nothing about any message")

    @post_load
    def _to_struct(self, data: dict[str, Any], **_: Any) -> Any:
        return self.struct(**data)


def struct_of(schema: WireSchema) -> type[msgspec.Struct]:
    """Return the struct type that mirrors `schema`: its attributes, their wire names and typed forms, all optional.

    Decoding into it refuses, with msgspec's `ValidationError`, at least all that the schema refuses.
    """
    wire = {name: field for name, field in schema.fields.items() if isinstance(field, WireField)}
    return msgspec.defstruct(
        type(schema).__name__.removesuffix("Schema"),
        [(name, field.typed, None) for name, field in wire.items()],
        rename={name: field.data_key or name for name, field in wire.items()},
        namespace=_identification(schema.identified_by),
        frozen=True,  # and so hashable: what repeats from report to report, such as codes, is looked up by it
        gc=False,
    )


def _identification(names: tuple[str, ...]) -> dict[str, Any]:
    if not names:
        return {}

    def __post_init__(self: Any) -> None:  # noqa: N807 - msgspec's own hook
        for name in names:
            if getattr(self, name):
                return
        raise ValueError("says nothing about any message")

    return {"__post_init__": __post_init__}


class Object(WireField):
    """A nested object with a schema of its own. A strict one refuses anything else; a mild one drops it."""

    default_error_messages = {"invalid": "expected an object, found {found}"}  # noqa: RUF012 - marshmallow's own idiom

    def __init__(self, schema: type[WireSchema], data_key: str | None = None, *, strict: bool = False) -> None:
        super().__init__(data_key)
        self.schema = schema()
        self.strict = strict
        self.typed = self.schema.struct | None

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, dict):
            return self.schema.load(value)
        if self.strict and value != "":
            raise self.make_error("invalid", found=kind_of(value))
        return None


class CodeSchema(WireSchema):
    """A `status` or `error` object."""

    id = Whole()
    name = MildText()
    group_id = Count("groupId")
    group = MildText("groupName")
    permanent = Flag()


class PriceSchema(WireSchema):
    """What a message, or a second of a call, cost."""

    per_message = Amount("pricePerMessage")
    per_second = Amount("pricePerSecond")
    currency = MildText()


class PlatformSchema(WireSchema):
    """The CPaaS X application and entity of the newer APIs."""

    entity_id = MildText("entityId")
    application_id = MildText("applicationId")


class ContactSchema(WireSchema):
    """The person in WhatsApp and OMNI reports; users known by name alone have no number."""

    phone_number = MildText("phoneNumber")
    user_id = MildText("userId")


class MessageSchema(WireSchema):
    """What nearly every item about one message may carry."""

    message_id: WireField = Text("messageId")
    bulk_id: WireField = Text("bulkId")
    to: WireField = Text()
    sender = MildText()
    from_ = MildText("from")
    channel = MildText()
    sent_at = Anything("sentAt")
    callback_data = MildText("callbackData")
    platform = Object(PlatformSchema)
    entity_id = MildText("entityId")
    application_id = MildText("applicationId")
    campaign = MildText("campaignReferenceId")
    price = Object(PriceSchema)


class DeliverySchema(MessageSchema):
    """A delivery report: the members that the families have in common."""

    identified_by: ClassVar[tuple[str, ...]] = ("message_id", "to")

    status = Object(CodeSchema, strict=True)
    error = Object(CodeSchema, strict=True)
    done_at = Anything("doneAt")
    message_count = Count("messageCount")
    mcc_mnc = TextOrNumber("mccMnc")
