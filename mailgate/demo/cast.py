"""Who plays: people of the rules, and one whom the rules do not know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from mailgate.core.settings.rules import Rules
from mailgate.demo.words import LANGUAGES, Words
from mailgate.errors import Refused


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person with one address."""

    name: str
    address: str

    @property
    def first_name(self) -> str:
        """How others call them."""
        return self.name.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of one performance.

    client: its id. technician: who answers, of all the `staff`. words: in the language of the client.
    """

    desk: Somebody
    client: str
    client_name: str
    person: Somebody
    technician: Somebody
    staff: tuple[Somebody, ...]
    stranger: Somebody
    words: Words
    zone: ZoneInfo

    def role(self, address: str) -> str:
        """What an address is in the story: "client", "technician", or "" for a stranger."""
        if address == self.person.address:
            return "client"
        return "technician" if any(address == one.address for one in self.staff) else ""

    def answered_by(self, address: str) -> Cast:
        """The same with another technician: whom the rules give the ticket to."""
        chosen = next((one for one in self.staff if one.address == address), self.technician)
        return replace(self, technician=chosen)


def cast(rules: Rules) -> Cast:
    """The first client of the rules, and who works for them. Raises Refused where there is no client."""
    if not rules.clients:
        raise Refused("the rules have no client to play with; use --own for a desk with the example's people")
    client, company = next(iter(rules.clients.items()))
    staff = {id_: Somebody(one.name, one.addresses[0]) for id_, one in rules.technicians.items()}
    return Cast(
        desk=Somebody(rules.desk.name, rules.desk.address),
        client=client,
        client_name=company.name,
        person=Somebody(_name(company.contact), company.contact),
        technician=staff[company.technician or rules.desk.director],
        staff=tuple(staff.values()),
        stranger=Somebody("Luis Soto", "luis@stranger.example"),
        words=LANGUAGES[rules.language_of(client)],
        zone=rules.zone,
    )


def _name(address: str) -> str:
    """A name for an address: "ana.prieto@…" is Ana Prieto. The rules know clients' people by address."""
    return address.partition("@")[0].replace(".", " ").replace("_", " ").title()
