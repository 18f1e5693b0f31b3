"""Every form of date that Infobip writes names the same moment to us."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infobip.inbound.dates import parse

MOMENT = datetime(2026, 3, 2, 9, 15, 3, 480_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-02T09:15:03.480+0000",
        "2026-03-02T10:15:03.480+0100",
        "2026-03-02T06:15:03.480-0300",
        "2026-03-02T14:45:03.480+0530",
        "2026-03-02T09:15:03.480+00:00",
        "2026-03-02T11:15:03.48+02:00",
        "2026-03-02T09:15:03.480Z",
        "2026-03-02 09:15:03.480",
        "2026-03-02 09:15:03.480 +0000",
        "2026/03/02 09:15:03.480",
        "2026-03-02 09:15:03.480 UTC",
        "20260302T091503.480Z",
        " 2026-03-02T09:15:03.480+0000 ",
        1772442903480,
        1772442903480.0,
        "1772442903480",
        1772442903.48,
    ],
    ids=repr,
)
def test_a_known_form_is_read_as_utc(written: Any) -> None:
    read = parse(written)

    assert read == MOMENT
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "string",
        "yesterday",
        "2026-13-02T09:15:03.480+0000",
        "2026-02-30",
        True,
        [],
        {},
        float("nan"),
        float("inf"),
        10**30,
        "9" * 400,
        "0001-01-01T00:00:00+1400",
        "9999-12-31T23:59:59-1200",
        "12:00",
    ],
    ids=repr,
)
def test_what_is_no_date_is_none(written: Any) -> None:
    assert parse(written) is None


@settings(max_examples=200, deadline=None)
@given(
    moment=st.datetimes(min_value=datetime(1975, 1, 1), max_value=datetime(2200, 1, 1)),
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_infobip_s_own_form_survives_a_round_trip(moment: datetime, offset: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    local = moment.astimezone(timezone(timedelta(minutes=offset)))
    infobip = f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"

    assert parse(infobip) == moment
    assert parse(local.isoformat()) == moment
    assert parse(int(moment.timestamp()) * 1000 + moment.microsecond // 1000) == moment


@settings(max_examples=200, deadline=None)
@given(written=st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.from_regex(r"\d{4}-[\dT:.+-]{0,25}")))
def test_any_text_or_number_is_a_moment_in_utc_or_none(written: Any) -> None:
    read = parse(written)

    assert read is None or read.tzinfo is UTC
