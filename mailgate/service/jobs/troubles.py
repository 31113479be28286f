"""Tell the admin of trouble with the machinery when it begins, and when it is over: each once.

Refused rules are no job's, since only who reads them knows: the daemon says so here, and it is kept with the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mailgate.core.health import UNTOLD, Trouble, troubles
from mailgate.core.mail import Notice
from mailgate.service.health import looked
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, events
from mailgate.store.events import Told

# What comes and goes is told twice an hour at most.
_QUIET = timedelta(hours=1)
_RULES = Trouble("rules").id


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Tell what began and what is over since the last run."""
    there = {found.id: found for found in troubles(looked(tx, office.desk.rules, now), office.desk.rules.monitor, now)}
    told = {one.what: one for one in events.open_troubles(tx) if one.what != _RULES}
    done = 0
    for id_ in there.keys() - told.keys():
        found = there[id_]
        if found.name not in UNTOLD and _news(tx, id_, now):
            number = events.record(tx, "trouble", id_, now.isoformat(), now)
            _tell(tx, office, "trouble", {"trouble": found, "since": found.since or now}, now, f"x{number}")
            done += 1
    for id_ in told.keys() - there.keys():
        _end(tx, office, told[id_], now)
        done += 1
    return done


def rules_refused(tx: Connection, office: Office, problems: Sequence[str], since: datetime, now: datetime) -> None:
    """Tell what is wrong in rules that were not taken up, each time anew; it is one trouble until some are.

    since: of the rules that stay in force.
    """
    if not any(one.what == _RULES for one in events.open_troubles(tx)):
        events.record(tx, "trouble", _RULES, now.isoformat(), now)
    _tell(tx, office, "rules_refused", {"problems": problems, "since": since}, now, f"r{now:%Y%m%d%H%M%S%f}")


def rules_accepted(tx: Connection, office: Office, now: datetime) -> None:
    """Tell that rules were taken up again, where it was told that some were not, maybe by a daemon before this one."""
    for told in events.open_troubles(tx):
        if told.what == _RULES:
            _end(tx, office, told, now)


def _news(tx: Connection, id_: str, now: datetime) -> bool:
    last = events.latest(tx, "trouble", id_)
    return last is None or abs(now - last) > _QUIET  # later than now: the clock was ahead, and is put right


def _end(tx: Connection, office: Office, told: Told, now: datetime) -> None:
    number = events.record(tx, "all_clear", told.what, told.key, now)
    name, _, about = told.what.partition(" ")
    values = {"name": name, "about": about, "since": told.at, "until": now}
    _tell(tx, office, "all_clear", values, now, f"x{number}")


def _tell(tx: Connection, office: Office, template: str, values: dict[str, object], now: datetime, cause: str) -> None:
    desk = office.desk.rules.desk
    notice = Notice(template, desk.admin, desk.language, values=values, automatic="auto-generated")
    post(tx, office, [notice], now, cause)
