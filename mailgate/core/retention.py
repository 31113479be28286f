"""Until when what people wrote is kept: each limit is the instant before which things are to go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from mailgate.core.settings.schema import Retention
from mailgate.core.settings.units import Period


@dataclass(frozen=True, slots=True)
class Limits:
    """What ended before these goes; None for nothing. copies: our own mails, with the files that they hand on."""

    raw: datetime | None
    files: datetime | None
    copies: datetime | None
    quarantine: datetime | None
    tickets: datetime | None
    looks: datetime | None
    access_data: datetime | None


def limits(rules: Retention, zone: ZoneInfo, now: datetime) -> Limits:
    """The limits of a day. A thing is kept for its period after the day on which that began, to that day's end.

    What is said in a ticket goes with the ticket, so nothing of it is kept for longer.
    """

    def limit(period: Period | None) -> datetime | None:
        if period is None:
            return None
        day = period.before(now.astimezone(zone).date())
        return datetime.combine(day, time(), zone).astimezone(UTC)

    tickets = limit(rules.closed_tickets)
    raw = _later(limit(rules.raw_mail), tickets)
    files = limit(rules.attachments)
    return Limits(
        raw, files, _later(raw, files), limit(rules.quarantine), tickets, limit(rules.looks), limit(rules.access_data)
    )


def _later(*given: datetime | None) -> datetime | None:
    """The limit that removes more."""
    return max((one for one in given if one is not None), default=None)
