"""`rules.toml` as one frozen value, and what the rest of the program asks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from mailgate.core.address import canonical, is_desk
from mailgate.core.commands.vocabulary import folded
from mailgate.core.model import Category, Person, Priority, Role
from mailgate.core.settings import fields, locate
from mailgate.core.settings.schema import (
    Client,
    Desk,
    Hours,
    Limits,
    Many,
    Match,
    OneOrMany,
    Package,
    Promise,
    Retention,
    Rule,
    Section,
    Technician,
    Text,
    Time,
)
from mailgate.core.settings.servers import Imap, Login, Monitor, Outgoing, Smtp, Trust, Web

_WORD = re.compile(r"\w+")
_USUAL_HOURS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "10:00-20:00")
Id = Annotated[str, AfterValidator(fields.id)]


class Rules(Section):
    """The whole file, its includes merged in. Packages, technicians and clients are keyed by their id."""

    include: OneOrMany[Text] = ()
    desk: Desk
    hours: Hours = Hours.model_validate(_USUAL_HOURS)
    promise: Promise = Promise()
    smtp: Smtp = Smtp()
    imap: Many[Imap] = ()
    web: Web = Web()
    outgoing: Outgoing = Outgoing()
    monitor: Monitor = Monitor()
    trust: Trust = Trust()
    time: Time = Time()
    limits: Limits = Limits()
    retention: Retention = Retention()
    packages: dict[Id, Package] = Field({})
    technicians: Annotated[dict[Id, Technician], BeforeValidator(fields.some)]
    clients: dict[Id, Client] = Field({})
    rules: Many[Rule] = ()

    @cached_property
    def zone(self) -> ZoneInfo:
        """The desk's time zone."""
        return ZoneInfo(self.desk.timezone)

    @cached_property
    def desks(self) -> frozenset[str]:
        """The desk's address and its aliases, canonical."""
        return frozenset((self.desk.address, *self.desk.aliases))

    @property
    def logins(self) -> Iterator[tuple[locate.Path, Login]]:
        """Each place at which we sign in at a mail server, and where it stands in the rules."""
        for number, box in enumerate(self.imap):
            yield ("imap", number), box
        if self.outgoing.via == "smtp":
            yield ("outgoing",), self.outgoing
        if self.outgoing.alarms:
            yield ("outgoing", "alarms"), self.outgoing.alarms

    @property
    def director(self) -> tuple[str, Technician]:
        """The director and their id."""
        return self.desk.director, self.technicians[self.desk.director]

    def technician(self, id: str) -> Technician | None:  # noqa: A002
        """A technician, None if the rules no longer know them."""
        return self.technicians.get(id)

    def client(self, id: str) -> Client | None:  # noqa: A002
        """A client, None if the rules no longer know them."""
        return self.clients.get(id)

    def language_of(self, client: str | None) -> str:
        """The language to write to a client in; the desk's for None and for clients without one."""
        known = self.clients.get(client) if client else None
        return (known.language if known else None) or self.desk.language

    def who(self, address: str) -> Person | None:
        """The person of an address: technician or client by the exact one, else by a client's wildcard.

        None for strangers, for odd addresses, and for the desk's own, whatever their +suffix.
        """
        plain = canonical(address)
        if plain is None or is_desk(plain, self.desks):
            return None
        if known := self._people.get(plain):
            return known
        client = self._domains.get(plain.partition("@")[2])
        return self._person_of(client, plain) if client else None

    @cached_property
    def _people(self) -> dict[str, Person]:
        people = {
            address: Person(
                role=Role.DIRECTOR if id_ == self.desk.director else Role.TECHNICIAN,
                id=id_,
                name=technician.name,
                address=address,
                language=self.desk.language,
            )
            for id_, technician in self.technicians.items()
            for address in technician.addresses
        }
        for id_, client in self.clients.items():
            people.update({address: self._person_of(id_, address) for address in client.addresses})
        return {address: person for address, person in people.items() if not address.startswith("*@")}

    @cached_property
    def _domains(self) -> dict[str, str]:
        """Domain to client, of the wildcards."""
        return {
            address[2:]: id_
            for id_, client in self.clients.items()
            for address in client.addresses
            if address.startswith("*@")
        }

    def _person_of(self, client: str, address: str) -> Person:
        return Person(
            role=Role.CLIENT,
            id=client,
            name=self.clients[client].name,
            address=address,
            language=self.language_of(client),
            client=client,
        )


@dataclass(frozen=True, slots=True)
class MatchInput:
    """What the [[rules]] look at. text: fresh text. category: the ticket's, "" for none yet."""

    subject: str = ""
    text: str = ""
    sender: str = ""
    client: str = ""
    category: str = ""
    attachments: tuple[str, ...] = ()
    outside_hours: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """What the rules set. by: of each thing that is set, the name of the rule; notify: technicians' ids."""

    by: Mapping[str, str] = field(default_factory=dict)
    priority: Priority | None = None
    category: Category | None = None
    assign: str | None = None
    notify: tuple[str, ...] = ()
    hold: bool = False
    drop: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The rules that set something, in order."""
        return tuple(dict.fromkeys(self.by.values()))


_NOTHING = Matched()


def match_rules(rules: Rules, words: MatchInput) -> Matched:
    """Try the [[rules]] in order: of each thing that can be set, the first rule that sets it wins.

    A category that a rule sets is the one that the rules after it see.
    """
    if not rules.rules:
        return _NOTHING
    subject = _words(words.subject)
    text = f"{subject}\n{_words(words.text)}"
    matched = _NOTHING
    for rule in rules.rules:
        if _applies(rule.match, words, subject, text, matched.category or words.category):
            fresh = {kind: value for kind, value in rule.set if value and not getattr(matched, kind)}
            matched = replace(matched, by={**matched.by, **dict.fromkeys(fresh, rule.name)}, **fresh)
    return matched


def _applies(match: Match, words: MatchInput, subject: str, text: str, category: str) -> bool:
    senders = {words.sender, f"*@{words.sender.partition('@')[2]}"}
    names = [folded(name) for name in words.attachments]
    return (
        (not match.any or any(_phrase(phrase) in text for phrase in match.any))
        and all(_phrase(phrase) in text for phrase in match.all)
        and (not match.subject or any(_phrase(phrase) in subject for phrase in match.subject))
        and (not match.sender or not senders.isdisjoint(match.sender))
        and (not match.client or words.client in match.client)
        and (not match.category or category in match.category)
        and (not match.attachment or any(folded(part) in name for part in match.attachment for name in names))
        and match.outside_hours in (None, words.outside_hours)
    )


def _words(text: str) -> str:
    """The words of a text, folded, each between single spaces: a phrase is then a part of the text."""
    return f" {' '.join(_WORD.findall(folded(text)))} "


_phrase = lru_cache(maxsize=4096)(_words)
