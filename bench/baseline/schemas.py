"""The baseline's marshmallow schemas: one for the whole batch."""

from marshmallow import EXCLUDE, Schema, fields


class _Open(Schema):
    class Meta:
        """Infobip adds fields."""

        unknown = EXCLUDE


class PriceSchema(_Open):
    """What it cost."""

    price_per_message = fields.Float(data_key="pricePerMessage")
    currency = fields.String()


class StatusSchema(_Open):
    """What became of it."""

    group_id = fields.Integer(data_key="groupId", required=True)
    group_name = fields.String(data_key="groupName", required=True)
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String()


class ErrorSchema(StatusSchema):
    """Why."""

    permanent = fields.Boolean()


class ReportSchema(_Open):
    """One delivery report."""

    bulk_id = fields.String(data_key="bulkId")
    message_id = fields.String(data_key="messageId", required=True)
    to = fields.String(required=True)
    sender = fields.String()
    sent_at = fields.DateTime(data_key="sentAt", format="%Y-%m-%dT%H:%M:%S.%f%z")
    done_at = fields.DateTime(data_key="doneAt", format="%Y-%m-%dT%H:%M:%S.%f%z")
    message_count = fields.Integer(data_key="messageCount")
    mcc_mnc = fields.String(data_key="mccMnc")
    callback_data = fields.String(data_key="callbackData")
    price = fields.Nested(PriceSchema)
    status = fields.Nested(StatusSchema, required=True)
    error = fields.Nested(ErrorSchema)


class CallbackSchema(_Open):
    """One callback."""

    results = fields.List(fields.Nested(ReportSchema), required=True)
