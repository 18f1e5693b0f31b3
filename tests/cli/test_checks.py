"""`dlr policy check` and `dlr codes check`, as a person and as a build server run them."""

import json
from pathlib import Path

import pytest

from tests.support.dlr import Dlr

HEADER = "family,kind,id,name,group_id,group,permanent,cause,advice,retry_after,retry_for,aliases,sources"
WRONG = {
    "policy": 'version = 1\n[[rule]]\nid = "mine"\nmatch = { cause = "nope" }\nretry = { attempts = 99 }\n',
    "codes": f"{HEADER}\ngeneral,error,9990,EC_X,3,OPERATOR_ERRORS,maybe,nope,Try again.,,,,x\n",
}
KINDS = pytest.mark.parametrize("kind", ["policy", "codes"])


@pytest.fixture
def wrong(kind: str, tmp_path: Path) -> str:
    file = tmp_path / f"wrong.{'toml' if kind == 'policy' else 'csv'}"
    file.write_text(WRONG[kind])
    return str(file)


@KINDS
def test_what_is_in_order_is_said_in_either_form(kind: str, dlr: Dlr) -> None:
    assert "in order" in dlr(kind, "check")
    told = dlr.json(kind, "check")
    assert told["faults"] == []
    assert told["version" if kind == "policy" else "hash"]
    assert told["rules" if kind == "policy" else "codes"] > 10


@KINDS
def test_a_wrong_file_ends_with_2_and_names_every_mistake(kind: str, wrong: str, dlr: Dlr) -> None:
    said = dlr.fails(kind, "check", wrong, code=2)
    assert "nope" in said
    result = dlr.run(kind, "check", wrong, "--format", "json")
    assert (result.exit_code, result.stderr) == (2, "")
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "wrong_input"
    assert len(error["faults"]) >= 2
    for fault in error["faults"]:
        assert {"file", "where", "problem", "fix"} <= set(fault)
        assert fault["fix"]


@KINDS
def test_a_file_that_the_settings_name_and_that_is_not_there_is_told(kind: str, dlr: Dlr, tmp_path: Path) -> None:
    setting = {"policy" if kind == "policy" else "codes_local": str(tmp_path / "none")}
    said = dlr.fails(kind, "check", code=2, **setting)
    assert "none" in said


def test_a_change_of_codes_that_cannot_be_read_is_wrong_input_too(dlr: Dlr, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(WRONG["codes"])
    dlr.fails("codes", "diff", str(file), code=2)
