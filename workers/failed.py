"""What earlier failures of a person count for, at the moment of a report: by event time, so a replay finds the same."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from codes.causes import FIRM
from policy import Failed
from policy.counting import ABOUT_PEOPLE
from reports import mail_domain
from store import failures, outages
from store.failures import Failure, FailureDay
from store.outages import Outages
from store.suppressions import LIFTED_BY_DELIVERY, Entry, Key
from workers.prepare import Prepared


def place_of(item: Prepared) -> str:
    """Return where the item's message failed."""
    return outages.place_of(item.report.mcc_mnc, mail_domain(item.report.recipient))


def failure_of(item: Prepared) -> Failure | None:
    """Return what is kept of a failed message, or nothing where its cause says nothing about the person."""
    if item.meaning is None or item.meaning.cause not in ABOUT_PEOPLE:
        return None
    report = item.report
    return Failure(report.account, item.recipient, report.channel, item.event_at, item.meaning.cause, place_of(item))


@dataclass(frozen=True, slots=True)
class Failures:
    """The days of failure of some people, and the incidents that excuse them."""

    days: Mapping[bytes, tuple[FailureDay, ...]]
    outages: Outages

    @classmethod
    def read(cls, connection: Connection, items: Collection[Prepared]) -> "Failures":
        """Return what is known of the recipients of these items: two looks into indexes."""
        days = failures.of(connection, [(item.report.account, item.recipient) for item in items])
        places = {(day.account, day.place) for known in days.values() for day in known}
        places |= {(item.report.account, place_of(item)) for item in items if not _is_firm(item)}
        return cls(days, outages.read(connection, places))

    def excuse(self, item: Prepared) -> str:
        """Return why the item's own failure does not count, or the empty text. What a person said always counts."""
        if not self.outages.known or _is_firm(item):
            return ""
        report = item.report
        return self.outages.excuse(report.account, place_of(item), report.channel, item.event_at)

    def before(
        self, item: Prepared, more: Iterable[Failure] = (), reached: Mapping[str, Sequence[datetime]] | None = None
    ) -> tuple[Failed, ...]:
        """Return the recipient's failures up to the item's own, each once a day, channel and cause.

        `more` are failures that nobody has written yet, and `reached` whenever something arrived, by channel.
        """
        known = (*self.days.get(item.recipient, ()), *map(_day, more))
        return tuple(self._counted(known, item.event_at, reached or {}))

    def _counted(
        self, known: Iterable[FailureDay], until: datetime, reached: Mapping[str, Sequence[datetime]]
    ) -> Iterator[Failed]:
        for day in known:
            moments = failures.not_wiped_out(day, until, (day.reached_at, *reached.get(day.channel, ())))
            excuses = [self.outages.excuse(day.account, day.place, day.channel, moment) for moment in moments]
            counts = next((place for place, excuse in enumerate(excuses) if not excuse), 0)
            if moments:
                yield Failed(moments[counts], day.cause, day.channel, excuses[counts])


def _day(failure: Failure) -> FailureDay:
    never = datetime.min.replace(tzinfo=failure.at.tzinfo)
    return FailureDay(failure.account, failure.channel, failure.cause, failure.place, failure.at, failure.at, never)


def _is_firm(item: Prepared) -> bool:
    return item.meaning is not None and item.meaning.cause in FIRM


def still_meant(entries: Sequence[Entry], deliveries: Mapping[tuple[str, bytes], Sequence[datetime]]) -> list[Entry]:
    """Return the entries of a slice without those that a delivery of the same slice disproved and a later one renews.

    Both would be written as one, as the longer of the two, although the delivery between them began anew.
    """
    latest: dict[Key, datetime] = {}
    for entry in entries if deliveries else ():
        latest[entry.key] = max(entry.since, latest.get(entry.key, entry.since))

    def is_over(entry: Entry) -> bool:
        if entry.cause not in LIFTED_BY_DELIVERY or latest[entry.key] == entry.since:
            return False
        return any(
            address == entry.address and entry.channel in ("", channel) and entry.since < max(times) < latest[entry.key]
            for (channel, address), times in deliveries.items()
        )

    return [entry for entry in entries if not latest or not is_over(entry)]
