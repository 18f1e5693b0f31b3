"""`.env.example` and docs/settings.md say what the code says."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from cli.settings import describe
from config.settings import load_settings
from scripts.settings_docs import ROOT, TITLES, pages

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_is_what_the_settings_make_of_it(path: Path) -> None:
    assert path.read_text("utf-8") == PAGES[path], "run: python scripts/settings_docs.py"


def test_every_setting_is_in_both() -> None:
    for row in describe():
        assert re.search(rf"(?m)^#{row['name']}=", (ROOT / ".env.example").read_text("utf-8"))
        assert f"| `{row['name']}` |" in (ROOT / "docs" / "settings.md").read_text("utf-8")


def test_every_group_stands_in_one_place_under_its_heading() -> None:
    groups = [group for group, _ in groupby(describe(), key=lambda row: row["group"])]
    assert len(groups) == len(set(groups))
    assert set(groups) == set(TITLES)


def test_the_example_with_every_default_switched_on_is_accepted() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    given = dict(line[1:].split("=", 1) for line in lines if re.match(r"#DLR_[A-Z_]+=", line))
    # By their text: two empty secrets are not equal, and show alike.
    assert repr(load_settings(given)) == repr(load_settings({}))
