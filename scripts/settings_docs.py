"""Write `.env.example` and docs/settings.md from the settings' own rows: `python scripts/settings_docs.py`."""

import sys
import textwrap
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cli.settings import describe  # noqa: E402 - found beside this folder, wherever this is started from

_WIDTH: Final = 118
TITLES: Final = {
    "place": "Where things are",
    "rules": "Rules and codes",
    "web": "The endpoint",
    "auth": "Who may post callbacks",
    "accounts": "Accounts",
    "infobip": "Calling Infobip",
    "proxy": "Between applications and Infobip",
    "resend": "Sending again",
    "relay": "Passing callbacks on",
    "forward": "Telling your own system",
    "alerts": "Telling people of incidents",
    "words": "Opt-out words",
    "retention": "How long things are kept",
    "running": "Running",
    "sync": "Sync with Infobip's lists",
}
_ENV_HEAD: Final = """\
# Every setting, with its default. Take the # away in front of what you change, and save this file as .env.
# Made by scripts/settings_docs.py from config/settings.py.
#
# Any of them can come from a file instead: NAME_FILE=/path. Two live secrets may stand in one, with a blank between.
# Of docker-compose.yml alone: IMAGE_TAG (which image), PUBLISH and PROXY_PUBLISH (where the endpoint and the
# pass-through listen on the host).
"""
_DOCS_HEAD: Final = """\
# Settings

Every setting is an environment variable.
Durations are a number and `ms`, `s`, `m`, `h` or `d`.
Any of them can come from a file instead: set `NAME_FILE` to its path; secrets are read again when their file changes.
A secret may hold two values with a blank between, so that it can be rotated without a gap.
`dlr settings` prints this list; an unknown name that begins with `DLR_` is refused at the start.

This page is made by `scripts/settings_docs.py` from `config/settings.py`.
"""


def env_example(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the text of `.env.example`."""
    parts = [_ENV_HEAD]
    for group, members in groupby(rows, key=lambda row: row["group"]):
        parts.append(f"\n# ---- {TITLES[group]}\n")
        parts += [_env_row(row) for row in members]
    return "".join(parts)


def _env_row(row: Mapping[str, Any]) -> str:
    example = f" For example: {row['name']}={row['example']}" if row["example"] else ""
    text = textwrap.wrap(row["help"] + example, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n" + "".join(f"# {line}\n" for line in text) + f"#{row['name']}={row['default']}\n"


def settings_page(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the text of docs/settings.md."""
    parts = [_DOCS_HEAD]
    for group, members in groupby(rows, key=lambda row: row["group"]):
        parts.append(f"\n## {TITLES[group]}\n\n| setting | default | what for |\n|---|---|---|\n")
        parts += [_page_row(row) for row in members]
    return "".join(parts)


def _page_row(row: Mapping[str, Any]) -> str:
    example = f" For example `{row['example']}`." if row["example"] else ""
    default = f"`{row['default']}`" if row["default"] else ""
    cells = (f"`{row['name']}`", default, row["help"] + example)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def pages() -> dict[Path, str]:
    """Return each generated file with the text that it has to have."""
    rows = describe()
    return {ROOT / ".env.example": env_example(rows), ROOT / "docs" / "settings.md": settings_page(rows)}


def main() -> None:
    """Write both files."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
