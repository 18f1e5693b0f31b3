"""What docs/subscribe.md shows is what the commands do."""

import re

from infobip.outbound.subscription_channels import SUBSCRIBED
from tests.house.project import ROOT

TEXT = (ROOT / "docs" / "subscribe.md").read_text("utf-8")


def test_the_table_of_channels_is_the_tables() -> None:
    section = TEXT.split("## Channels and events\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")
    ]
    shown = {slug: [_words(cell) for cell in row[1:]] for row in rows for slug in re.findall(r"`([\w-]+)`", row[0])}
    assert shown == {slug: [one.events, one.inbound, one.tracking] for slug, one in SUBSCRIBED.items()}


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / target).exists(), target


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(",") if word.strip())
