"""What the documents show is true: examples load, and lists are complete."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from codes import CAUSES, CHANNELS, load
from codes.channels import UNKNOWN
from codes.table import COLUMNS
from policy import load_policy, shipped_policy
from policy.matching import Conditions
from policy.rules import Limits
from tests.house.project import ROOT
from webhook.target import ANY_CHANNEL

EVERYDAY = ["README.md", "CONTRIBUTING.md", "docs/codes.md", "docs/policy.md", "docs/dependencies.md"]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(name: str, language: str) -> list[str]:
    """Return the code blocks of a document that are in `language`, also those inside a list."""
    found = re.findall(rf"(?ms)^( *)```{language}\n(.*?)^ *```$", text(name))
    return ["\n".join(line.removeprefix(indent) for line in block.splitlines()) + "\n" for indent, block in found]


def first_cells(name: str, heading: str) -> set[str]:
    """Return the words in backquotes in the first column of the tables below a heading."""
    section = text(name).split(f"{heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("number", range(len(blocks("docs/policy.md", "toml"))))
def test_each_example_of_the_policy_language_is_in_order(number: int, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(blocks("docs/policy.md", "toml")[number])
    assert len(load_policy(file).rules) > len(shipped_policy().rules)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/codes.md"])
def test_the_example_of_a_code_is_in_order(name: str, tmp_path: Path) -> None:
    (example,) = blocks(name, "csv")
    file = tmp_path / "own.csv"
    file.write_text(",".join(COLUMNS) + "\n" + example.splitlines()[-1] + "\n")
    assert any(row.id == 9990 for row in load(file).rows)


def test_the_documents_name_every_cause_column_condition_and_limit() -> None:
    assert first_cells("docs/codes.md", "## Causes") == set(CAUSES)
    assert first_cells("docs/codes.md", "## Columns") == set(COLUMNS)
    assert first_cells("docs/policy.md", "## What a rule matches") == {field.name for field in fields(Conditions)}
    assert first_cells("docs/policy.md", "## Limits") == {field.name for field in fields(Limits)}


def test_the_readme_names_every_channel_and_every_form_of_the_url() -> None:
    (line,) = (line for line in text("README.md").splitlines() if line.startswith("The channels are "))
    assert set(re.findall(r"`([\w-]+)`", line)) == set(CHANNELS) - {UNKNOWN}
    for url in ("/webhook/CHANNEL/TOKEN", f"/webhook/{ANY_CHANNEL}/TOKEN", "/webhook/CHANNEL?token=TOKEN"):
        assert url in text("README.md")


@pytest.mark.parametrize("name", EVERYDAY)
def test_links_between_documents_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(name)):
        assert (ROOT / name).parent.joinpath(target).exists(), target
