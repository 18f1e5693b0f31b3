"""Message ids for resends."""

import re
from hashlib import sha256
from typing import Final

from infobip.outbound.endpoint import LONGEST_ID

_DIGEST: Final = 32
_SHORTENED: Final = re.compile(rf"~[0-9a-f]{{{_DIGEST}}}$")
# Logs take a comma for the end of an id, and white space or what cannot be printed for who knows what.
_UNFIT: Final = re.compile(r"[^!-+\--~]")


def new_id(original: str, attempt: int, *, told_apart: bool = False) -> str:
    """Return the id of the resend number `attempt` of the message `original`: `<original>-r<attempt>`.

    At most 200 characters that logs can be asked for; different originals never get the same id. An original that is
    too long or has unfit characters is shortened and told apart by a hash, and so is one that looks as if it had been;
    `told_apart` asks for that where another message has the plain id.
    """
    suffix = f"-r{attempt}"
    longest = LONGEST_ID - len(suffix)
    if not told_apart and len(original) <= longest and not _UNFIT.search(original) and not _SHORTENED.search(original):
        return original + suffix
    digest = sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    beginning = _UNFIT.sub("_", original[: longest - _DIGEST - 1])
    return f"{beginning}~{digest}{suffix}"
