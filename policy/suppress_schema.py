"""The part of the policy language that says how a rule suppresses."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from policy.durations import in_words
from policy.fields import Span, Strict
from policy.suppress_plan import KEPT, SuppressPlan, Tier

SCOPES: Final = ("all", "channel", "sender", "campaign")
MOST_TIERS: Final = 10
MOST_TIMES: Final = 100
# What tiers say in its place, and what a list's refusal has no use for.
_NOT_BESIDE_TIERS: Final = ("for", "grow", "after", "confirms")
_DAY: Final = timedelta(days=1)


class AfterSchema(Strict):
    """`after = { failures = 5, within = "30d" }`: at most one point a day, stale after `within`."""

    failures = fields.Integer(strict=True, required=True, validate=validate.Range(2, MOST_TIMES))
    within = Span(required=True)


class TierSchema(Strict):
    """`{ times = 2, within = "365d", for = "60d" }`; without `times`, the first failure; without `for`, for good."""

    times = fields.Integer(strict=True, validate=validate.Range(1, MOST_TIMES), load_default=1)
    within = Span(most=KEPT)
    lasts = Span(data_key="for", load_default=None)

    @validates_schema
    def _agree(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["times"] > 1 and "within" not in data:
            raise ValidationError("it does not say within what time. Write one such as within = '365d'.", "within")
        if data["times"] == 1 and "within" in data:
            raise ValidationError("the first failure needs no within. Leave it out, or write times = 2.", "within")

    @post_load
    def _tier(self, data: dict[str, Any], **kwargs: Any) -> Tier:
        return Tier(**data)


class SuppressSchema(Strict):
    """`suppress = { scope = "channel", for = "180d" }`; without `for`, for good; with `tiers`, as they say."""

    scope = fields.String(required=True, validate=validate.OneOf(SCOPES))
    purpose = fields.String(validate=validate.OneOf(("all", "marketing")), load_default="all")
    lasts = Span(data_key="for", load_default=None)
    grow = fields.Integer(strict=True, validate=validate.Range(1, 4), load_default=1)
    hold = fields.Boolean(load_default=False)
    confirms = fields.Boolean(load_default=False)
    after = fields.Nested(AfterSchema, load_default=None)
    tiers = fields.List(fields.Nested(TierSchema), validate=validate.Length(1, MOST_TIERS), load_default=list)

    @validates_schema(pass_original=True)
    def _agree(self, data: dict[str, Any], original: Any, **kwargs: Any) -> None:
        tiers = data["tiers"]
        if not tiers:
            return
        beside = [name for name in _NOT_BESIDE_TIERS if name in original]
        if beside:
            raise ValidationError(f"tiers and {beside[0]} exclude each other. Leave one of them out.", "tiers")
        if len(tiers) == 1 and tiers[0].times == 1:
            raise ValidationError("one tier at the first failure is no tier. Write for instead, or add one.", "tiers")
        problem = _problem(tiers)
        if problem:
            raise ValidationError(problem, "tiers")

    @post_load
    def _plan(self, data: dict[str, Any], **kwargs: Any) -> SuppressPlan:
        after = data.pop("after") or {}
        return SuppressPlan(tiers=tuple(data.pop("tiers")), **data, **after)


def _problem(tiers: Sequence[Tier]) -> str:
    """Return what is wrong with the order of tiers, and what to write instead; or the empty text."""
    for place, (one, other) in enumerate(pairwise(tiers), start=2):
        if other.times <= one.times:
            return f"tier {place} has no more times than the one before it. Write more than {one.times}."
        if one.lasts is None:
            return f"tier {place} comes after one for good. Leave it out, or give the other a for."
        if other.lasts is not None and other.lasts < one.lasts:
            return f"tier {place} is shorter than the one before it. Write at least {in_words(one.lasts)}."
    for place, tier in enumerate(tiers, start=1):
        needed = _soonest(tiers[: place - 1], tier.times)
        if needed >= tier.within:
            return (
                f"tier {place} can never be reached, for so many failures take at least {in_words(needed)} with the "
                f"pauses before it. Let it look back on more than that."
            )
    return ""


def _soonest(before: Sequence[Tier], times: int) -> timedelta:
    """Return how long it takes at least to fail so many times: one a day, and none within a pause."""
    span = timedelta()
    for count in range(1, times):
        reached = [tier for tier in before if tier.times <= count]
        lasts = reached[-1].lasts if reached else None
        span += max(_DAY, lasts) if lasts is not None else _DAY
    return span
