"""The change log, the version and the documents agree."""

import re
from datetime import date

from packaging.requirements import Requirement
from packaging.version import Version

from tests.house.project import PYPROJECT, ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
HEADING = re.compile(r"## \[(Unreleased|[0-9]+\.[0-9]+\.[0-9]+)\](?: - ([0-9]{4}-[0-9]{2}-[0-9]{2}|Unreleased))?")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def headings() -> list[tuple[str, str]]:
    """Return (version, date) of every release in the change log, the newest first."""
    lines = [line for line in CHANGELOG.splitlines() if line.startswith("## ")]
    found = [HEADING.fullmatch(line) for line in lines]
    assert None not in found, f"headings must look like '## [1.2.3] - 2026-11-22': {lines}"
    return [(match[1], match[2] or "") for match in found if match]


def test_the_version_is_the_newest_of_the_change_log() -> None:
    released = [version for version, _ in headings() if version != "Unreleased"]
    assert released[0] == PYPROJECT["project"]["version"]
    assert released == sorted(released, key=Version, reverse=True)


def test_the_change_log_is_in_keep_a_changelog_form() -> None:
    assert CHANGELOG.startswith("# Changelog\n")
    versions = [version for version, _ in headings()]
    assert len(set(versions)) == len(versions)
    assert "Unreleased" not in versions[1:]
    days = [date.fromisoformat(day) for version, day in headings() if version != "Unreleased"]
    assert days == sorted(days, reverse=True)
    assert {line[4:] for line in CHANGELOG.splitlines() if line.startswith("### ")} <= KINDS


def test_every_release_says_what_changed() -> None:
    for section in re.split(r"(?m)^## ", CHANGELOG)[1:]:
        assert section.startswith("[Unreleased]") or re.search(r"(?m)^### .+\n\n(- .+\n?)+", section), section


def test_every_dependency_has_its_line() -> None:
    lines = (ROOT / "docs" / "dependencies.md").read_text("utf-8").splitlines()
    explained = {
        match[1].lower() for line in lines if (match := re.match(r"- \*\*([A-Za-z0-9.-]+)\*\*[^:]*: .{20,}", line))
    }
    declared = PYPROJECT["project"]["dependencies"] + [
        text for group in PYPROJECT["dependency-groups"].values() for text in group
    ]
    assert {Requirement(text).name.lower() for text in declared} == explained
