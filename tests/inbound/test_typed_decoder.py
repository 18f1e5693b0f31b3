"""The generated decoder and the marshmallow schemas accept the same items, to the same reports."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from infobip.inbound import FAMILIES
from infobip.inbound.family import Context, Family
from infobip.inbound.read import read_with
from tests.inbound.posted import ALL, Posted, name_of
from tests.inbound.rendering import render
from tests.inbound.strategies import NEAR_ITEMS, NEAR_VALUES, delivery

CONTEXT = Context("main", "auto")


def outcome(family: Family, load: Any, raw: dict[str, Any]) -> str:
    try:
        return repr(family.to_report(load(raw), raw, CONTEXT))
    except ValidationError as error:
        return repr(error.messages)


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(sorted(FAMILIES)), raw=NEAR_ITEMS)
def test_both_ways_give_the_same_report_or_the_same_refusal(name: str, raw: dict[str, Any]) -> None:
    family = FAMILIES[name]

    assert outcome(family, family.load, raw) == outcome(family, family.load_exactly, raw)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(FAMILIES)))
def test_both_ways_agree_on_items_made_of_the_family_s_own_members(data: st.DataObject, name: str) -> None:
    family = FAMILIES[name]
    keys = [field.data_key or attribute for attribute, field in family.schema.fields.items()]
    raw = data.draw(st.dictionaries(st.sampled_from(keys), NEAR_VALUES, max_size=len(keys)))

    assert outcome(family, family.load, raw) == outcome(family, family.load_exactly, raw)


@settings(max_examples=200, deadline=None)
@given(member=st.sampled_from(sorted(delivery())), value=NEAR_VALUES)
def test_both_ways_agree_on_a_good_report_with_one_strange_member(member: str, value: Any) -> None:
    raw = delivery() | {member: value}
    family = FAMILIES["unified"]

    assert outcome(family, family.load, raw) == outcome(family, family.load_exactly, raw)


@pytest.mark.parametrize("posted", ALL, ids=name_of)
def test_both_ways_agree_on_every_fixture(posted: Posted) -> None:
    def reading(load: Any) -> dict[str, Any]:
        return render(read_with(load, posted.body, posted.content_type, posted.channel, "main"))

    assert reading(Family.load) == reading(Family.load_exactly)


@pytest.mark.parametrize("name", ["unified", "sms-legacy", "whatsapp", "rcs", "email", "voice", "messages-api", "seen"])
def test_the_ordinary_json_items_of_a_family_need_no_marshmallow(name: str) -> None:
    body = next(posted.body for posted in ALL if posted.name.startswith(f"{name}/") and posted.path.suffix == ".json")
    for raw in json.loads(body)["results"]:
        assert msgspec.convert(raw, FAMILIES[name].schema.struct) is not None
