"""How a resend stands, in words: what would become of it now."""

from cli.moments import shown
from policy.leaving import Cancel, Expire, Hold, SetBack, Verdict, Wait


def stands(verdict: Verdict) -> str:
    """Return what a worker would do with it at this moment."""
    match verdict:
        case Hold():
            return f"it is held until {shown(verdict.until)}: {verdict.why}"
        case Wait():
            return f"it waits until somebody acts: {verdict.why}"
        case SetBack():
            return f"it goes back to a person: {verdict.why}"
        case Cancel():
            return f"it will be cancelled: {verdict.why}"
        case Expire():
            return f"it will expire: {verdict.why}"
        case _:
            return "it leaves as soon as a worker takes it"


def speaks(verdict: Verdict | None) -> str:
    """Return what one check says: `yes`, or what speaks against leaving."""
    if verdict is None:
        return "yes"
    what = {Hold: "not yet", Wait: "not before somebody acts", SetBack: "not by itself", Cancel: "no", Expire: "no"}
    return f"{what.get(type(verdict), 'no')}: {getattr(verdict, 'why', '')}"
