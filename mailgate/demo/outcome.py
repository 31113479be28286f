"""What came of a scene: told in a line, and held against what the story says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailgate.core.mail import Mail
from mailgate.core.model import Ticket
from mailgate.demo.cast import Cast
from mailgate.demo.story import Then


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand. left: the client's minutes; worked: minutes of work on the ticket so far.

    held: why the mail that came last is in quarantine, "" if it is not.
    """

    left: int
    ticket: Ticket | None = None
    tag: str = ""
    worked: int = 0
    held: str = ""


def told(before: Standing, after: Standing, client_name: str) -> str:
    """What has changed, in a line."""
    ticket = after.ticket
    if ticket is None:
        return "No ticket."
    if after.held:
        return f"Waits in quarantine: {after.held}. {after.tag} is as it was."
    if (before.ticket, before.left, before.worked) == (ticket, after.left, after.worked):
        return f"Nothing has changed: {after.tag} is {ticket.status}, {client_name} has {after.left} min left."
    if before.ticket is None:
        area = f", {ticket.category}" if ticket.category else ""
        return f"{after.tag} is open: priority {ticket.priority}{area}. {client_name} has {after.left} min."
    steps = [
        _step("", before.ticket.status, ticket.status),
        _step("work ", before.worked, after.worked, " min"),
        _step(f"{client_name} ", before.left, after.left, " min"),
    ]
    return f"{after.tag}: {', '.join(step for step in steps if step)}."


def differences(then: Then, mails: Sequence[Mail], after: Standing, cast: Cast) -> Iterator[str]:
    """Where what came is not what the story says."""
    status = after.ticket.status if after.ticket else "missing"
    if status != then.status:
        yield f"the ticket is {status}, not {then.status}"
    if after.worked != then.worked:
        yield f"{after.worked} minutes are on the ticket, not {then.worked}"
    came = {cast.role(mail.to[0]) or mail.to[0] for mail in mails}
    for party in sorted(set(then.mails).difference(came)):
        yield f"there is no mail to the {party}"
    for other in sorted(came.difference(then.mails)):
        yield f"there is a mail to {other} that should not be"
    names = [file.name for mail in mails for file in mail.attachments]
    if then.file and not any(name.endswith(then.file) for name in names):
        yield f"no {then.file} came with the mails"


def _step(name: str, before: object, after: object, unit: str = "") -> str:
    return f"{name}{before} → {after}{unit}" if before != after else ""
