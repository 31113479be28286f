"""What the mails of help and the guides say of this desk: its hours, promises, packages, and commands."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any, Literal

from mailgate.core.commands.vocabulary import VERBS
from mailgate.core.mail import Notice
from mailgate.core.model import Category
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.schema import Week
from mailgate.core.settings.units import MonthDay, Span
from mailgate.render import Renderer

Audience = Literal["clients", "technicians"]


def values_of(rules: Rules) -> dict[str, Any]:
    """Values of `_help.txt` and of the guides, the same for everybody. area: where the client area is, "" for none."""
    return {
        "address": rules.desk.address,
        "area": rules.desk.url if rules.web.listen else "",
        "tag": rules.desk.tag,
        "week": _week(rules.hours),
        "seasons": [
            {"since": _day(season.since), "until": _day(season.until), "week": _week(season)}
            for season in rules.hours.seasons
        ],
        "promise": rules.promise.model_dump(),
        "packages": [package.model_dump() for package in rules.packages.values()],
        "verbs": verbs(rules.desk.tag),
        "categories": [category.value for category in Category],
        "director": True,
    }


def verbs(tag: str) -> list[dict[str, Any]]:
    """The commands. director: whether only the director may."""
    return [
        {
            "name": verb.name,
            "names": (f"#{verb.name}", f"#{verb.spanish}"),
            "arguments": verb.arguments.replace("SOP-", f"{tag}-"),
            "director": verb.director_only,
        }
        for verb in VERBS
    ]


def guide(rules: Rules, renderer: Renderer, audience: Audience, language: str) -> str:
    """The page for clients or for technicians, as Markdown."""
    notice = Notice(f"guide_{audience}", "", language, values=values_of(rules))
    text, _ = renderer.preview(notice, rules.zone, rules.desk.name)
    return text


def _week(week: Week) -> list[dict[str, Any]]:
    """Days on end with the same hours, the closed ones left out: {first, last: 0 for Monday, times: "10:00-20:00"}."""
    found = []
    for spans, days in groupby(range(7), week.on):
        same = list(days)
        if spans:
            found.append({"first": same[0], "last": same[-1], "times": [_time(span) for span in spans]})
    return found


def _time(span: Span) -> str:
    return f"{_clock(span.start)}-{_clock(span.end)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _day(day: MonthDay) -> date:
    """A day of every year, in a leap year."""
    return date(2024, day.month, day.day)
