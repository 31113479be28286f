"""What is the sender's own: their addresses, and their reply address of the desk itself."""

from __future__ import annotations

from mailgate.core import address
from mailgate.core.desk import Desk
from mailgate.core.mail import Mail


def addresses(mail: Mail, desk: Desk) -> tuple[str, ...]:
    """The addresses that are the sender's: of a technician all that the rules name, of a client the one."""
    person = desk.rules.who(mail.sender) if mail.sender else None
    if person is None:
        return ()
    known = desk.rules.technician(person.id) if person.role.staff else None
    return known.addresses if known else (person.address,)


def answers_desk_itself(mail: Mail, desk: Desk) -> bool:
    """Whether the mail was sent to the sender's own reply address of the desk itself, which is of no ticket."""
    pointers = (address.reply_pointer(recipient, desk.rules.desks) for recipient in mail.recipients)
    tokens = [token for number, token in filter(None, pointers) if number == address.DESK_ITSELF]
    mine = addresses(mail, desk) if tokens else ()
    return any(address.token_fits(desk.key, address.DESK_ITSELF, one, token) for one in mine for token in tokens)


def bears_token(mail: Mail, desk: Desk) -> bool:
    """Whether the mail was sent to a reply address that was made for its sender, of whatever ticket."""
    pointers = [found for one in mail.recipients if (found := address.reply_pointer(one, desk.rules.desks))]
    mine = addresses(mail, desk) if pointers else ()
    return any(address.token_fits(desk.key, number, one, token) for one in mine for number, token in pointers)
