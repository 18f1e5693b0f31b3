"""Every fixture, read as posted, gives exactly the reading beside it."""

import json

import pytest

from infobip.inbound import FAMILIES, read
from tests.inbound.posted import ALL, FIXTURES, Posted, name_of
from tests.inbound.rendering import render


@pytest.mark.parametrize("posted", ALL, ids=name_of)
def test_a_fixture_gives_the_expected_reading(posted: Posted) -> None:
    reading = read(posted.body, posted.content_type, posted.channel)

    assert {"posted": posted.expected["posted"], **render(reading)} == posted.expected


@pytest.mark.parametrize("posted", ALL, ids=name_of)
def test_the_raw_items_of_a_fixture_are_kept_and_can_be_stored(posted: Posted) -> None:
    reading = read(posted.body, posted.content_type, posted.channel)

    for item in reading.items:
        assert json.dumps(item.report.raw, ensure_ascii=False, allow_nan=False).encode()
        assert json.dumps(dict(item.report.detail), ensure_ascii=False, allow_nan=False).encode()


def test_every_fixture_has_an_expected_file_and_no_expected_file_is_left_over() -> None:
    assert {posted.expected_path for posted in ALL} == set(FIXTURES.glob("*/*.expected.json"))


def test_every_family_has_a_folder_of_fixtures_named_after_it() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == set(FAMILIES)


def test_every_family_is_the_family_of_some_item() -> None:
    assert {item["family"] for posted in ALL for item in posted.expected["items"]} == set(FAMILIES)
