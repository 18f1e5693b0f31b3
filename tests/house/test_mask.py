"""Addresses are masked in every text that a person may see without having asked for them, however long it is."""

import pytest

from config.mask import mask_text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sent to 447700900123.", "sent to …23."),
        ("to=%2B447700900123&x=1", "to=…23&x=1"),
        ("to +447700900123", "to …23"),
        ("otp-447700900123-1", "otp-…23-1"),
        ("jo.b@example.com wrote", "…@example.com wrote"),
        ("mail jo%40example.com", "mail …@example.com"),
        ("on 2026-11-22 at 10:00, 12 items", "on 2026-11-22 at 10:00, 12 items"),
        ("550 5.1.1 from 10.0.0.1", "550 5.1.1 from 10.0.0.1"),
    ],
)
def test_addresses_are_masked_and_other_numbers_are_not(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    assert mask_text("a" * 3_000_000) == "a" * 3_000_000
