"""Items are taken out of a body, and what stays keeps its bytes."""

import pytest

from infobip.inbound.cut import Uncuttable, without

A, B, C = (f'{{"messageId": "{name}", "price": 1.{"0" * 30}}}' for name in "abc")
ONEAPI = '{"deliveryInfoNotification": {"callbackData": "x", "deliveryInfo": [%s]}}'
XML = "<r><results>%s</results><bulkId>b</bulkId><results>%s</results></r>"


def tag(name: str, around: str = "result") -> str:
    return f"<{around}><messageId>{name}</messageId><price>1.00</price></{around}>"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (f'{{"results": [{A}, {B}, {C}]}}', f'{{"results":[{B}]}}'),
        (f'\ufeff{{"a": 1.0, "results": [{A},{B},{C}]}}', f'\ufeff{{"a":1.0,"results":[{B}]}}'),
        (f'{{"results": {{"result": [{A}, {B}, {C}]}}}}', f'{{"results":{{"result":[{B}]}}}}'),
        (f"[{A}, {B}, {C}]", f"[{B}]"),
        (f'{{"results": [{A}, null, {C}]}}', '{"results":[null]}'),
        (
            ONEAPI % f"{A}, {B}, {C}",
            (ONEAPI % B).replace(": {", ":{", 1).replace('": "x", ', '":"x",').replace(": [", ":["),
        ),
        (XML % (tag("a") + tag("b"), tag("c")), XML % (tag("b"), "")),
        (
            f"<DeliveryReport> {tag('a', 'm')} <!-- x -->{tag('b', 'm')}{tag('c', 'm')}</DeliveryReport>",
            f"<DeliveryReport>  <!-- x -->{tag('b', 'm')}</DeliveryReport>",
        ),
        (f"<n:r xmlns:n='u'><n:results>{tag('a')}{tag('é')}{tag('c')}</n:results></n:r>",) * 2,
    ],
)
def test_the_rest_keeps_its_bytes(body: str, left: str) -> None:
    left = left.replace(tag("a"), "").replace(tag("c"), "") if "n:r" in left else left
    assert without(body.encode(), "", {0, 2}).decode() == left


@pytest.mark.parametrize("gone", [0, 1])
def test_xml_items_of_one_tag_are_cut(gone: int) -> None:
    items = ["<result a='/>' messageId='a'/>", "<result messageId='b' />"]
    left = without(f"<r><results>{''.join(items)}</results></r>".encode(), "", {gone})
    assert left.decode() == f"<r><results>{items[1 - gone]}</results></r>"


def test_xml_in_another_coding_is_cut_in_its_own_bytes() -> None:
    body = f"<?xml version='1.0' encoding='ISO-8859-1'?><r><results>{tag('é')}{tag('ü')}</results></r>"
    left = without(body.encode("latin-1"), "application/xml", {0})
    assert left.decode("latin-1") == body.replace(tag("é"), "")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (A, ""),
        (f'{{"results": {A}}}', ""),
        ("results[0].messageId=a&results[1].messageId=b", "application/x-www-form-urlencoded"),
        ("messageId,to\na,1\nb,2", "text/csv"),
        ("<r><results><result>a/></result><result>b</result></results></r>", ""),
        ("<messageId>a</messageId>", ""),
        (f'{{"results": [{A}, {B}]'.encode("utf-16").decode("latin-1"), ""),
        ("", ""),
    ],
)
def test_what_cannot_be_cut_safely_is_not_cut(body: str, content_type: str) -> None:
    with pytest.raises(Uncuttable):
        without(body.encode("latin-1"), content_type, {0})
