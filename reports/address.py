"""Recipients' addresses: one spelling for one address, so that look-ups and suppressions find it."""

import re
from typing import Final

# What people and systems put between a number's digits. Infobip itself sends bare digits.
_PHONE_DECORATION: Final = re.compile(r"[\s().\-/\u00a0\u2011]+")
# E.164 allows 15 digits; operators' test and short numbers are as short as 3, and a few ids run to 20.
_DIGITS: Final = re.compile(r"\d{3,20}")


def normalise(address: str) -> str:
    """Return `address` in the one spelling used for keys and look-ups.

    Phone numbers become their digits without `+` or `00`; e-mail domains are lower-cased while the local part stays
    as given (its owner's server decides whether case counts); other ids (push registrations, chat users) stay as
    they are but for surrounding white space.
    """
    if address.isdecimal() and address.isascii() and address[0] != "0":
        return address  # Infobip's own form of a number
    text = address.strip()
    if "@" in text:
        local, _, domain = text.rpartition("@")
        return f"{local}@{domain.lower()}" if local else text
    digits = _PHONE_DECORATION.sub("", text)
    if digits.startswith("+"):
        digits = digits[1:]
    elif digits.startswith("00"):
        digits = digits[2:]
    return digits if digits.isascii() and _DIGITS.fullmatch(digits) else text


def look_up_form(address: str) -> str:
    """Return the form that keyed hashes are made of: `normalise`, and e-mail without regard to case.

    Two spellings of one mailbox that differ in case reach one person at nearly every provider, and someone who
    opted out must be found under both.
    """
    text = normalise(address)
    return text.lower() if "@" in text else text


def mail_domain(address: str) -> str:
    """Return the lower-case domain of an e-mail address, or the empty string."""
    _, at, domain = address.rpartition("@")
    return domain.strip().lower() if at else ""
