"""Every row of the two seed documents and of the newer list is in the tables, as its newest source has it.

`facts/seed_rows.csv` holds the bare facts of all three, taken from the documents and not from the tables.
"""

import csv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from codes import Row, shipped

Key = tuple[str, str, int]

SOURCES = ("hlr-article", "codes-page", "codes-2026-07")  # oldest first
FLAGS = {"true": True, "false": False, "": None}


class Fact(NamedTuple):
    source: str
    family: str
    kind: str
    id: int
    name: str
    group_id: int | None
    group: str
    permanent: bool | None

    @property
    def key(self) -> Key:
        return self.family, self.kind, self.id

    def is_of(self, row: Row) -> bool:
        return row.key == self.key and self.name in (row.name, *row.aliases)


def read_facts() -> list[Fact]:
    with (Path(__file__).parent / "facts" / "seed_rows.csv").open(newline="") as file:
        return [
            Fact(
                row["source"],
                row["family"],
                row["kind"],
                int(row["id"]),
                row["name"],
                int(row["group_id"]) if row["group_id"] else None,
                row["group"],
                FLAGS[row["permanent"]],
            )
            for row in csv.DictReader(file)
        ]


FACTS = read_facts()
ROWS: dict[Key, list[Row]] = defaultdict(list)
for _row in shipped().tables.rows:
    ROWS[_row.key].append(_row)
BY_KEY: dict[Key, list[Fact]] = defaultdict(list)
for _fact in FACTS:
    BY_KEY[_fact.key].append(_fact)


def newest(facts: list[Fact]) -> list[Fact]:
    latest = max((fact.source for fact in facts), key=SOURCES.index, default="")
    return [fact for fact in facts if fact.source == latest]


def folded(group: str) -> str:
    """Return a group without the differences between the sources: case, spaces, and the old article's singular."""
    return group.upper().replace(" ", "_").rstrip("S")


def name_of(key: Key) -> str:
    return "-".join(map(str, key))


@pytest.mark.parametrize(("source", "count"), [("hlr-article", 235), ("codes-page", 500), ("codes-2026-07", 541)])
def test_the_facts_hold_every_row_of_their_sources(source: str, count: int) -> None:
    assert sum(fact.source == source for fact in FACTS) == count


def test_every_row_of_every_source_is_found_by_id_and_name_or_alias() -> None:
    missing = [fact for fact in FACTS if not any(fact.is_of(row) for row in ROWS[fact.key])]
    assert missing == []


def test_every_row_says_which_sources_have_it() -> None:
    wrong = [
        fact for fact in FACTS if not any(fact.is_of(row) and fact.source in row.sources for row in ROWS[fact.key])
    ]
    assert wrong == []


def test_name_and_permanent_are_as_in_the_newest_source() -> None:
    wrong = [
        fact
        for key, facts in BY_KEY.items()
        for fact in newest(facts)
        if (fact.name, fact.permanent) not in {(row.name, row.permanent) for row in ROWS[key]}
    ]
    assert wrong == []


def test_group_id_is_as_in_the_newest_source_that_numbers_its_groups() -> None:
    wrong = [
        fact
        for key, facts in BY_KEY.items()
        for fact in newest([fact for fact in facts if fact.group_id is not None])
        if fact.group_id not in {row.group_id for row in ROWS[key] if fact.is_of(row)}
    ]
    assert wrong == []


def test_group_is_as_in_the_newest_source() -> None:
    wrong = [
        fact
        for key, facts in BY_KEY.items()
        for fact in newest(facts)
        if folded(fact.group) not in {folded(row.group) for row in ROWS[key] if fact.is_of(row)}
    ]
    assert wrong == []


def test_nothing_stands_in_the_tables_that_no_source_has() -> None:
    assert [row.label for row in shipped().tables.rows if not any(fact.is_of(row) for fact in BY_KEY[row.key])] == []


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (("general", "status", 87), [("SIGNALS_BLOCKED", "EXPIRED"), ("SIGNALS_BLOCKED", "REJECTED")]),
        (
            ("general", "error", 4102),
            [("EC_NOTSUBMITTEDTOSMPPCHANNEL", "OPERATOR_ERRORS"), ("EC_NOTSUBMITTEDTOSMPPCHANNEL", "USER_ERRORS")],
        ),
        (
            ("general", "error", 2053),
            [("EC_BLACKLISTED_SENDERADDRESS", "USER_ERRORS"), ("EC_SOURCE_ADDRESS_BLACKLISTED", "USER_ERRORS")],
        ),
        (
            ("people", "error", 40404),
            [
                ("ADDITIONAL_FIELD_DOES_NOT_EXIST", "404_NOT_FOUND"),
                ("CUSTOM_ATTRIBUTE_DOES_NOT_EXIST", "404_NOT_FOUND"),
            ],
        ),
    ],
    ids=lambda value: name_of(value) if isinstance(value, tuple) else "",
)
def test_two_rows_that_share_an_id_in_one_family_both_stay(key: Key, rows: list[tuple[str, str]]) -> None:
    assert sorted((row.name, row.group) for row in ROWS[key]) == rows


@pytest.mark.parametrize("number", [6001, 6004, 6005, 6008, 6014, 6015])
def test_an_email_error_of_the_old_article_alone_says_so(number: int) -> None:
    assert [row.sources for row in ROWS["email", "error", number]] == [("hlr-article",)]


def test_the_old_duplicate_error_of_voice_is_kept_from_the_old_article() -> None:
    assert [row.sources for row in ROWS["voice deprecated", "error", 5492]] == [("hlr-article",)]
    assert [row.sources for row in ROWS["general", "error", 5492]] == [("codes-2026-07",)]


@pytest.mark.parametrize("number", [10, 20, 51, 71, 501, 2048, 2050, 2051, 4097])
def test_the_operator_errors_that_the_newer_page_dropped_are_kept(number: int) -> None:
    (row,) = ROWS["general", "error", number]
    assert (row.group_id, row.group, row.sources) == (3, "OPERATOR_ERRORS", ("hlr-article", "codes-2026-07"))


def test_every_id_of_the_old_operator_errors_group_is_listed_in_the_test_above() -> None:
    old = {fact.id for fact in FACTS if fact[:3] == ("hlr-article", "general", "error") and fact.group_id == 3}
    assert old == {10, 20, 51, 71, 501, 2048, 2050, 2051, 4097, 4102}
