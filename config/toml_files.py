"""Files of the user's own in TOML, as settings name them."""

import tomllib
from pathlib import Path
from typing import Any

from config.settings import SettingsError


def read_toml(path: Path, setting: str) -> dict[str, Any]:
    """Return what the file that `setting` names holds. Raises `SettingsError` with what to do."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        why = error.strerror or type(error).__name__
        problem = f"{path} cannot be read: {why}. Correct the path, or let this process read it"
    except UnicodeDecodeError:
        problem = f"{path} is not UTF-8. Save it as such"
    except tomllib.TOMLDecodeError as error:
        problem = f"{path} is not TOML: {error}"
    raise SettingsError(f"{setting}: {problem}") from None
