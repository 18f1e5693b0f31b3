"""The payload families: every shape in which Infobip posts something, by the name that `Report.family` carries."""

from typing import Final

from infobip.inbound.families import (
    blocklist,
    call_link,
    calls,
    consent,
    email,
    email_event,
    email_inbound,
    inbound,
    messages_api,
    mms_legacy,
    mobile_identity,
    moments,
    number_lookup,
    number_masking,
    omni,
    oneapi,
    platform,
    pre_2015,
    rcs,
    rcs_events,
    seen,
    sms_legacy,
    template,
    tracking,
    unified,
    voice,
    voice_legacy,
    whatsapp,
    whatsapp_events,
    zalo,
)
from infobip.inbound.family import Family

FAMILIES: Final[dict[str, Family]] = {
    # Delivery reports
    "unified": unified.FAMILY,
    "rcs": rcs.FAMILY,
    "whatsapp": whatsapp.FAMILY,
    "sms-legacy": sms_legacy.FAMILY,
    "mms-legacy": mms_legacy.FAMILY,
    "email": email.FAMILY,
    "voice": voice.FAMILY,
    "voice-legacy": voice_legacy.FAMILY,
    "messages-api": messages_api.FAMILY,
    "omni": omni.FAMILY,
    "zalo": zalo.FAMILY,
    "oneapi": oneapi.FAMILY,
    "pre-2015": pre_2015.FAMILY,
    # Look-ups
    "number-lookup": number_lookup.FAMILY,
    "oneapi-hlr": oneapi.HLR_FAMILY,
    "rcs-capability": rcs_events.CAPABILITY_FAMILY,
    # What happens to a message later
    "seen": seen.FAMILY,
    "deleted": seen.DELETED_FAMILY,
    "email-tracking": tracking.EMAIL_FAMILY,
    "click": tracking.CLICK_FAMILY,
    "marketing-click": tracking.MARKETING_FAMILY,
    # What people send and decide
    "inbound": inbound.FAMILY,
    "email-inbound": email_inbound.FAMILY,
    "blocklist": blocklist.FAMILY,
    "consent": consent.FAMILY,
    "whatsapp-marketing": consent.MARKETING_FAMILY,
    "whatsapp-identity": whatsapp_events.IDENTITY_FAMILY,
    "whatsapp-payment": whatsapp_events.PAYMENT_FAMILY,
    # Calls
    "calls": calls.FAMILY,
    "call-link": call_link.FAMILY,
    "number-masking": number_masking.FAMILY,
    # The account and its things
    "email-event": email_event.FAMILY,
    "template": template.FAMILY,
    "mobile-identity": mobile_identity.FAMILY,
    "rcs-activity": rcs_events.ACTIVITY_FAMILY,
    "moments": moments.FAMILY,
    "platform": platform.FAMILY,
    # New to us
    "unknown": platform.UNKNOWN_FAMILY,
}
