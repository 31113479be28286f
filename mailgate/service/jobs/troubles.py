"""Tell the admin of trouble with the machinery when it begins, and when it is over: each once."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailgate.core.health import UNTOLD, troubles
from mailgate.core.mail import Notice
from mailgate.service.health import looked
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, events
from mailgate.store.events import Told

# What comes and goes is told twice an hour at most.
_QUIET = timedelta(hours=1)


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Tell what began and what is over since the last run."""
    there = {found.id: found for found in troubles(looked(tx, office.desk.rules, now), office.desk.rules.monitor, now)}
    told = {one.what: one for one in events.open_troubles(tx)}
    done = 0
    for id_ in there.keys() - told.keys():
        found = there[id_]
        if found.name not in UNTOLD and _news(tx, id_, now):
            number = events.record(tx, "trouble", id_, now.isoformat(), now)
            _tell(tx, office, "trouble", {"trouble": found, "since": found.since or now}, now, number)
            done += 1
    for id_ in told.keys() - there.keys():
        number = events.record(tx, "all_clear", id_, told[id_].key, now)
        _tell(tx, office, "all_clear", _over(told[id_], now), now, number)
        done += 1
    return done


def _news(tx: Connection, id_: str, now: datetime) -> bool:
    last = events.latest(tx, "trouble", id_)
    return last is None or abs(now - last) > _QUIET  # later than now: the clock was ahead, and is put right


def _over(told: Told, now: datetime) -> dict[str, object]:
    name, _, about = told.what.partition(" ")
    return {"name": name, "about": about, "since": told.at, "until": now}


def _tell(
    tx: Connection, office: Office, template: str, values: dict[str, object], now: datetime, number: int | None
) -> None:
    desk = office.desk.rules.desk
    notice = Notice(template, desk.admin, desk.language, values=values, automatic="auto-generated")
    post(tx, office, [notice], now, f"x{number}")
