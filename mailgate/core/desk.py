"""The desk as one value: its rules, its secret and its calendar; what every decision is made with."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from mailgate.core.commands.command import Context
from mailgate.core.hours import Calendar
from mailgate.core.model import Person, Role, Ticket
from mailgate.core.settings.rules import Rules


@dataclass(frozen=True)
class Desk:
    """key: secret of the reply addresses, 32 bytes."""

    rules: Rules
    key: bytes

    @cached_property
    def calendar(self) -> Calendar:
        """When the desk is open."""
        return Calendar(self.rules.hours, self.rules.zone, self.rules.desk.language)

    @cached_property
    def tags(self) -> re.Pattern[str]:
        """Finds `SOP-12` in any case; the group is the number."""
        return re.compile(rf"\b{re.escape(self.rules.desk.tag)}-(\d{{1,12}})\b", re.IGNORECASE)

    @cached_property
    def subject_tag(self) -> re.Pattern[str]:
        """Finds `[SOP-12]`, also `[SOP-12 Acme]`, in a subject; the group is the number."""
        return re.compile(rf"\[{re.escape(self.rules.desk.tag)}-(\d{{1,12}})(?:\s[^\]]*)?\]", re.IGNORECASE)

    def tag(self, ticket: int) -> str:
        """The ID of a ticket as people see it, e.g. "SOP-12"."""
        return f"{self.rules.desk.tag}-{ticket}"

    def blurred(self, digest: str) -> str:
        """What is kept of a mail's digest once a secret is out of it: tells it again, and nobody can try words."""
        return "~" + hmac.digest(self.key, f"redacted|{digest}".encode(), "sha256").hex()

    def local_day(self, at: datetime) -> date:
        """The day in the desk's time zone."""
        return at.astimezone(self.rules.zone).date()

    def context(self, role: Role, now: datetime, *, form: bool = False) -> Context:
        """What the commands of a person of the desk are read with; form: the lines of the evening's form, too."""
        return Context(
            role=role,
            tag=self.rules.desk.tag,
            today=self.local_day(now),
            most=self.rules.time.max_per_command,
            technicians={key: person.name for key, person in self.rules.technicians.items()},
            form=form,
        )

    def client_name(self, client: str) -> str:
        """The client's name; the bare id of one that the rules no longer have."""
        known = self.rules.client(client)
        return known.name if known else client

    def contact(self, client: str) -> str:
        """Whom notices of a client go to; the director for a client that the rules no longer have."""
        known = self.rules.client(client)
        return known.contact if known else self.staff_address(None)

    def registered(self, person: Person, *, proven: bool) -> str:
        """Where what reveals something goes: to an address that the rules name.

        Somebody whom a wildcard lets in has it themselves where it is proven that they wrote; else the contact has.
        """
        known = self.rules.client(person.client or "")
        if known is None or proven or person.address in known.addresses:
            return person.address
        return known.contact

    def requester(self, ticket: Ticket) -> str:
        """Whom answers of a ticket go to: who asked, while the rules know them as this client's; else the contact."""
        person = self.rules.who(ticket.requester)
        theirs = not ticket.client or (person is not None and person.client == ticket.client)
        return ticket.requester if theirs else self.contact(ticket.client)

    def staff_name(self, technician: str | None) -> str:
        """The technician's name; the bare id of one that the rules no longer have, "" for None."""
        known = self.rules.technician(technician or "")
        return known.name if known else (technician or "")

    def staff_address(self, technician: str | None) -> str:
        """Where a technician is written to; the director's address for one who is gone, or for None."""
        known = self.rules.technician(technician or "")
        return (known or self.rules.director[1]).addresses[0]
