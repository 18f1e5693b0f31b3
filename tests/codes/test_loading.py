"""Reading the tables: a broken one stops the start with file, line and fix; an overlay adds or replaces rows."""

import builtins
import io
import os
from pathlib import Path
from typing import Any

import pytest

from codes import CodeRef, Codes, Outcome, TableError, TableFault, load, load_codes, shipped
from codes.diff import Change, diff
from codes.table import COLUMNS

HEADER = ",".join(COLUMNS)
GOOD = "general,error,4242,EC_OURS,2,USER_ERRORS,false,carrier_failure,Our carrier says so; try later.,,,,our-carrier"


def faults(tmp_path: Path, *lines: str, header: str = HEADER) -> list[TableFault]:
    """Return what is wrong with the shipped tables under a local file of `lines`."""
    path = tmp_path / "own.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    with pytest.raises(TableError) as caught:
        load(path)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return caught.value.faults


VOCABULARY = "the cause 'carrier_failur' is not in the vocabulary"
SENTENCE = "Say what the code means and what to do next, and end with a full stop."


@pytest.mark.parametrize(
    ("old", "new", "problem", "fix"),
    [
        ("carrier_failure", "carrier_failur", VOCABULARY, "Did you mean carrier_failure or platform_failure?"),
        (",false,", ",no,", "permanent is 'no'", "Write true, false or nothing."),
        (",error,", ",fault,", "the kind is 'fault'", "Write status or error."),
        ("4242", "42x", "the id is '42x'", "Write a whole number."),
        ("4242", "", "the id is ''", "Write a whole number."),
        (",2,USER", ",two,USER", "the group_id is 'two'", "Write a whole number."),
        ("EC_OURS", "", "the name is empty", "Write the name that Infobip gives the code."),
        ("general", "", "the family is empty", "Write one of the families of codes/channels.py."),
        ("Our carrier says so; try later.", "later", "the advice is not a sentence", SENTENCE),
        ("our-carrier", "", "the sources are empty", "Name where the code was seen, such as codes-page."),
        ("so; try", "so, try", "the row has 14 cells", "Write 13, and quote a cell that holds a comma."),
    ],
)
def test_a_broken_row_names_its_file_its_line_and_the_fix(
    tmp_path: Path, old: str, new: str, problem: str, fix: str
) -> None:
    found = faults(tmp_path, GOOD.replace("4242", "4243"), "", GOOD.replace(old, new))
    assert found == [TableFault(str(tmp_path / "own.csv"), 4, problem, fix)]


def test_a_missing_column_names_the_header_that_belongs_there(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, GOOD, header=HEADER.replace("permanent,", ""))
    assert (fault.file, fault.line, fault.fix) == (str(tmp_path / "own.csv"), 1, f"Write {HEADER}.")


def test_a_row_that_stands_there_twice_names_the_other_line(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    assert faults(tmp_path, GOOD, GOOD) == [
        TableFault(str(own), 3, f"general error 4242 EC_OURS stands already in {own}:2", "Keep one of the two rows.")
    ]


def test_all_broken_rows_are_named_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, GOOD.replace("false", "maybe"), GOOD.replace("carrier_failure", "gremlins"))
    assert [fault.line for fault in found] == [2, 3]


def test_a_broken_smtp_row_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "smtp-enhanced.csv").write_text("pattern,cause,advice\n5.1.x,recipient_unknwn,Stop writing to it.\n")
    with pytest.raises(TableError) as caught:
        load(folder=tmp_path)
    assert [(fault.file, fault.line, fault.fix) for fault in caught.value.faults] == [
        ("smtp-enhanced.csv", 2, "Did you mean recipient_unknown or recipient_dnd?")
    ]


def test_a_local_row_adds_a_code_and_changes_the_hash(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"{HEADER}\n{GOOD}\n")
    codes = load_codes(own)
    meaning = codes.lookup("sms", CodeRef(id=9), CodeRef(id=4242))
    assert (meaning.cause, meaning.unknown) == ("carrier_failure", False)
    assert meaning.tables == codes.tables.hash != shipped().tables.hash
    assert len(codes.tables.rows) == len(shipped().tables.rows) + 1


def test_a_local_row_replaces_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text(f"{HEADER}\n{GOOD.replace('4242', '27')}\n")
    codes = load_codes(own)
    assert codes.lookup("sms", CodeRef(id=9), CodeRef(id=27)).cause == "carrier_failure"
    assert len(codes.tables.rows) == len(shipped().tables.rows)
    assert list(diff(shipped().tables, codes.tables)) == [
        Change("general error 27 EC_OURS", "recipient_unreachable", "carrier_failure")
    ]


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_read(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(f"\ufeff{HEADER}\r\n{GOOD}\r\n\r\n".encode())
    assert load_codes(own).lookup("sms", CodeRef(id=9), CodeRef(id=4242)).cause == "carrier_failure"


def test_the_same_tables_have_the_same_hash() -> None:
    assert load().hash == load().hash == shipped().tables.hash


def test_nothing_is_read_after_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = Codes(load())

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the look-up read a file")

    for room, name in ((builtins, "open"), (io, "open"), (os, "open"), (os, "stat")):
        monkeypatch.setattr(room, name, refuse)
    assert codes.lookup("sms", CodeRef(id=9), CodeRef(id=27)).outcome is Outcome.FAILED
    assert codes.lookup("email", CodeRef(id=9), CodeRef(id=6012), "550 5.7.1 no").cause == "sender_reputation"
    assert codes.lookup("fax", CodeRef(id=99999), None).unknown
