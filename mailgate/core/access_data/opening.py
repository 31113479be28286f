"""What is written for somebody who may see access data, and what is kept where nobody can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mailgate.core.access_data.covering import filled, unnumbered
from mailgate.core.mail import Notice
from mailgate.core.plan import Plan


def opened(notice: Notice, secrets: Mapping[int, str]) -> Notice:
    """The notice with the values written out that it opens."""
    if not notice.opens or not secrets:
        return notice
    shown = {name: notice.values[name] for name in notice.opens if name in notice.values}
    values = {name: _each(value, lambda text: filled(text, secrets)) for name, value in shown.items()}
    return replace(notice, values={**notice.values, **values})


def without_numbers(plan: Plan) -> Plan:
    """The plan for a message of which nothing is kept but as it came: its places lead to no value."""
    if not plan.secrets:
        return plan
    mail = replace(plan.mail, subject=unnumbered(plan.mail.subject))
    notices = tuple(_closed(notice, plan.secrets) for notice in plan.notices)
    return plan.but(mail=mail, notices=notices, secrets={})


def _closed(notice: Notice, secrets: Mapping[int, str]) -> Notice:
    told = opened(notice, secrets)
    values = {name: _each(value, unnumbered) for name, value in told.values.items()}
    return replace(told, values=values, subject=unnumbered(told.subject))


def _each(value: object, change: Callable[[str], str]) -> object:
    """A value of a template with each text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each(one, change) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_each(one, change) for one in value)
    return value
