"""Ids of resends."""

from hypothesis import given
from hypothesis import strategies as st

from infobip.outbound import new_id

ORIGINALS = st.text(max_size=260) | st.text(alphabet="ab~-r,0123456789", max_size=260)


def test_an_ordinary_id_gets_the_number_of_the_attempt() -> None:
    assert new_id("order-17", 1) == "order-17-r1"
    assert new_id("order-17", 12) == "order-17-r12"


def test_a_long_id_keeps_its_beginning() -> None:
    made = new_id("x" * 400, 2)
    assert len(made) == 200
    assert made.startswith("xxxx")
    assert made.endswith("-r2")


def test_an_id_that_looks_shortened_is_not_mistaken_for_the_one_it_looks_like() -> None:
    long = "x" * 400
    assert new_id(new_id(long, 1).removesuffix("-r1"), 1) != new_id(long, 1)


@given(ORIGINALS, st.integers(1, 99))
def test_an_id_fits_and_can_be_asked_for_in_logs(original: str, attempt: int) -> None:
    made = new_id(original, attempt)
    assert len(made) <= 200
    assert made.isascii()
    assert made.isprintable()
    assert not set(made) & set(", ")


@given(st.lists(st.tuples(ORIGINALS, st.integers(1, 99)), min_size=2, unique=True))
def test_no_two_resends_share_an_id(resends: list[tuple[str, int]]) -> None:
    assert len({new_id(*one) for one in resends}) == len(resends)


@given(st.integers(200, 260), st.integers(200, 260), st.integers(1, 99))
def test_long_ids_that_differ_at_their_end_only_stay_different(one: int, other: int, attempt: int) -> None:
    assert (new_id("x" * one, attempt) == new_id("x" * other, attempt)) == (one == other)
