"""Whether a text can be a recipient at all: what people and programs enter by hand is judged before it is kept.

Reports are not judged by it: what Infobip names as the recipient is one, whatever it looks like.
"""

import re
from typing import Final

from reports.address import normalise

LONGEST: Final = 255
_NUMBER: Final = "a phone number"
_MAIL: Final = "an e-mail address"
_ID: Final = "an id"
# What each channel reaches; what is not named here takes a phone number or an id of its own (chat users, push
# registrations). WhatsApp, Viber and RCS know people by ids, too.
_REACHES: Final = {"sms": _NUMBER, "mms": _NUMBER, "voice": _NUMBER, "email": _MAIL}
# E.164 allows 15 digits. Service and test numbers are as short as 3.
# Channels that know nobody by an e-mail address.
_BY_NUMBER: Final = frozenset(_REACHES) - {"email"} | {"whatsapp", "viber", "rcs"}
# The Messages API takes a person of its own directory in place of a number or an address.
_ENCRYPTED: Final = "urn:mbid:"
_SENT_DIGITS: Final = re.compile(r"[0-9]{3,20}")
_NUMBER_DIGITS: Final = re.compile(r"[1-9][0-9]{2,14}")
_ONLY_NUMBER: Final = re.compile(r"[\s\d()+.\-/\u00a0\u2011]+")
_TRUNK: Final = re.compile(r"\(\s*0\s*\)")
_LOCAL: Final = r"""(?:"[^"\s]{1,62}"|[^\s@"<>(),:;\\\[\]]{1,64})"""
_LABEL: Final = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_MAIL_FORM: Final = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+{_LABEL}")
_LONGEST_MAIL: Final = 254
# Without a channel nobody knows what an id is for. Ids of chat users and push registrations are long and have digits
# in them; a name, or a number with a letter in it, is neither.
_LONG_ID: Final = re.compile(r"(?=\D*\d)[^\s@]{16,}")
_HOST: Final = re.compile(r".+\.[a-z]{2,}", re.IGNORECASE)


def fault_of(address: str, channel: str = "") -> str:
    """Return what is wrong with a recipient, as a sentence that does not show it; empty where nothing is.

    `channel` is one of `codes.CHANNELS`, or empty where it is for every channel: a phone number, an e-mail address
    or the long id of a chat user or push registration then.
    """
    text = address.strip()
    if fault := fault_of_form(text):
        return fault
    kind = _REACHES.get(channel, _ID if channel else "")
    if kind == _MAIL or (not kind and "@" in text):
        return "" if _is_mail(text) else "It is no e-mail address: write it like jo@example.com, without a name."
    if kind == _NUMBER or _ONLY_NUMBER.fullmatch(text):
        return _fault_of_number(text, channel, is_id=kind == _ID)
    if any(letter.isspace() for letter in text):
        return "It has a blank in it, which no id, e-mail address or phone number with letters has."
    if not kind and (not _LONG_ID.fullmatch(text) or _HOST.fullmatch(text)):
        return (
            "It is neither a phone number nor an e-mail address. If it is the id of a chat user or a push "
            "registration, name its channel."
        )
    return ""


def fault_of_sent(address: str, channel: str) -> str:
    """Return what is wrong with the recipient of a send on one of `codes.CHANNELS`, as `fault_of` does.

    It is milder: what Infobip may take (a number of its own country, an encrypted person of the Messages API, an id) is
    no fault. What no report could ever name as its recipient is.
    """
    text = address.strip()
    if fault := fault_of_form(text):
        return fault
    if text.startswith(_ENCRYPTED):
        return ""
    if channel == "email":
        return "" if _is_mail(text) else "It is no e-mail address: write it like jo@example.com, without a name."
    if channel in _BY_NUMBER and "@" in text:
        return f"It is an e-mail address, and {channel} reaches nobody by that."
    if _REACHES.get(channel) == _NUMBER:
        if _TRUNK.search(text):
            return "Nobody can tell whether the (0) in it belongs to the number: write the number without it."
        digits = normalise(text)
        is_number = _ONLY_NUMBER.fullmatch(text) and _SENT_DIGITS.fullmatch(digits)
        return "" if is_number else "It is no phone number: write its country code and digits, like 447700900123."
    if any(letter.isspace() for letter in text) and not _ONLY_NUMBER.fullmatch(text):
        return "It has a blank in it, which no id and no phone number with letters has."
    return ""


def fault_of_form(text: str) -> str:
    """Return what is wrong with any text as an address, whatever it is for; empty where nothing is."""
    if not text:
        return "It is empty."
    if len(text) > LONGEST:
        return f"It is longer than {LONGEST} characters."
    if "\ufffd" in text or not all(letter.isprintable() or letter == "\u00a0" for letter in text):
        return "It has characters in it that cannot be printed, or is not UTF-8."
    return ""


def _is_mail(text: str) -> bool:
    return len(text) <= _LONGEST_MAIL and _MAIL_FORM.fullmatch(text) is not None


def _fault_of_number(text: str, channel: str, *, is_id: bool) -> str:
    if "@" in text:
        return f"It is no phone number, and {channel} reaches only those."
    digits = normalise(text)
    if is_id and digits.isascii() and digits.isdecimal():
        return ""
    if _TRUNK.search(text):
        return "Nobody can tell whether the (0) in it belongs to the number: write the number without it."
    if digits.startswith("0") and digits.isdecimal():
        return "It begins with 0: write the number with its country code, like 447700900123 or +44 7700 900123."
    if _NUMBER_DIGITS.fullmatch(digits):
        return ""
    return "It is no phone number: write its country code and 3 to 15 digits in all, like +44 7700 900123."
