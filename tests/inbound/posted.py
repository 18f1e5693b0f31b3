"""The fixtures: bodies as Infobip would post them, each with the expected reading beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "fixtures"


@dataclass(frozen=True)
class Posted:
    """One body, and the expected file, which also says how it was posted."""

    path: Path

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def expected_path(self) -> Path:
        return self.path.with_suffix(".expected.json")

    @property
    def body(self) -> bytes:
        return self.path.read_bytes()

    @property
    def expected(self) -> dict[str, Any]:
        """The expected reading, and under `posted` the channel and content type."""
        expected: dict[str, Any] = json.loads(self.expected_path.read_text(encoding="utf-8"))
        return expected

    @property
    def content_type(self) -> str:
        return str(self.expected["posted"]["content_type"])

    @property
    def channel(self) -> str:
        return str(self.expected["posted"]["channel"])


ALL = [Posted(path) for path in sorted(FIXTURES.glob("*/*")) if not path.name.endswith(".expected.json")]


def name_of(posted: Posted) -> str:
    return posted.name
