"""Mails of ours that did not arrive: which one came back, and who is told."""

from __future__ import annotations

from datetime import timedelta

from mailgate.core import address
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Returned, returned_ids
from mailgate.core.mail import Mail, Notice
from mailgate.core.model import Ticket

TEMPLATE = "delivery_failed"
# The envelope sender of these is the null path: nothing is told of what did not arrive of them.
UNRETURNED = (TEMPLATE, "trouble", "all_clear")
# An address at which so many mails failed for good within this time gets no automatic mail until it writes.
MOST = 3
WITHIN = timedelta(days=7)


def returned(mail: Mail, facts: Facts, desk: Desk) -> Returned | None:
    """The mail that came back: by the envelope sender that names it, by its own ID, or by the reply address it bore.

    An ID alone is enough, for ours cannot be guessed. Of a ticket's mails to one person it is the newest.
    """
    if not facts.returned:
        return None
    known = {one.mail: one for one in facts.returned}
    for recipient in mail.recipients:
        pointer = address.return_pointer(recipient, desk.rules.desks)
        found = known.get(pointer[0]) if pointer else None
        if found and pointer and address.return_fits(desk.key, found.mail, found.message_id, pointer[1]):
            return found
    by_id = {one.message_id: one for one in facts.returned}
    named = (by_id[one] for one in returned_ids(mail, desk) if one in by_id)
    return next(named, None) or _by_reply_address(mail, facts, desk)


def _by_reply_address(mail: Mail, facts: Facts, desk: Desk) -> Returned | None:
    for recipient in mail.recipients:
        ticket, token = address.reply_pointer(recipient, desk.rules.desks) or (0, "")
        mine = [one for one in facts.returned if one.ticket == ticket]
        for one in sorted(mine, key=lambda one: one.mail, reverse=True):
            if address.token_fits(desk.key, ticket, one.to, token):
                return one
    return None


def told(
    desk: Desk, ticket: Ticket | None, lost: Returned, error: str, *, came_back: bool, dead: bool
) -> tuple[Notice, ...]:
    """The mail to the ticket's technician, else the director; never to the very address that was not reached.

    came_back: the next hop had taken it. dead: its address gets no automatic mail from now on.
    """
    if lost.template in UNRETURNED:
        return ()
    technician = ticket.technician if ticket else None
    people = (desk.staff_address(technician), desk.staff_address(None), desk.rules.desk.admin)
    person = next((one for one in people if one != lost.to), None)
    if person is None:
        return ()
    values = {"to": lost.to, "subject": lost.subject, "error": error, "came_back": came_back, "dead": dead}
    values["answer"] = lost.template == "answer"
    return (
        Notice(
            TEMPLATE,
            to=person,
            language=desk.rules.desk.language,
            ticket=ticket.id if ticket else None,
            values=values,
            automatic="auto-generated",
        ),
    )
