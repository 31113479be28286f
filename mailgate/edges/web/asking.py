"""A request as a value, once it is known who asks; and what is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from mailgate.core.desk import Desk
from mailgate.core.mail import Part
from mailgate.core.model import Person
from mailgate.edges.web.limits import Limit
from mailgate.service.office import Office
from mailgate.service.take import Clock, Intake
from mailgate.store import Connection, Store
from mailgate.store.sessions import Session
from mailgate.store.writer import Writer

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Works:
    """What the pages work with. office: gives the rules in force. ring: there is a mail to send.

    links_to, links_from: how often a link is mailed to an address, and asked for by a peer: nobody needs more, and
    whoever tries addresses one after the other gets tired.
    """

    store: Store
    writer: Writer
    intake: Intake
    office: Callable[[], Office]
    ring: Callable[[], None]
    clock: Clock
    links_to: Limit = field(default_factory=lambda: Limit(3, 15 * 60))
    links_from: Limit = field(default_factory=lambda: Limit(20, 15 * 60))


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. person, session: None for who is not signed in.

    path: what stands in the path, by name. query, form: the last value of each name. files: what was attached.
    peer: address of who asks, as our own proxy says. program: what the browser calls itself.
    csrf: what forms of this session carry, "" without one.
    """

    works: Works
    office: Office
    now: datetime
    language: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Part] = ()
    peer: str = ""
    program: str = ""
    person: Person | None = None
    session: Session | None = None
    csrf: str = ""

    @property
    def desk(self) -> Desk:
        """The desk of this moment."""
        return self.office.desk

    @property
    def who(self) -> Person:
        """Who is signed in; for pages that only they see."""
        if self.person is None:
            raise LookupError("nobody is signed in")
        return self.person

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot of the store."""
        with self.works.store.read() as tx:
            yield tx

    def write(self, job: Callable[[Connection], Result]) -> Result:
        """Do something in a transaction, and wait until it is on disk."""
        return self.works.writer.submit(job).result()

    def number(self, name: str) -> int:
        """A number of the path. Raises NotThere for one that nothing can have."""
        return numeral(self.path.get(name, ""))

    def chosen(self, name: str) -> int | None:
        """A number of the query, None where there is none that can be meant."""
        try:
            return numeral(self.query.get(name, ""))
        except NotThere:
            return None


class NotThere(Exception):
    """There is no such thing, or not for this person: the two are never told apart."""


def numeral(text: str) -> int:
    """A number as it stands in addresses of pages. Raises NotThere."""
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise NotThere
    return int(text)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page. template: its name in templates/web/. status: of HTTP."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Go on at another page of ours. cookie: the secret of a session that begins, "" for one that ends."""

    path: str
    cookie: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes as they are. name: to be saved under, "" to be shown. policy: the CSP of its own, "" for the usual."""

    content: bytes
    type: str
    name: str = ""
    policy: str = ""
    status: int = 200
    keep: bool = False


Answer = Shown | Elsewhere | Sent
Handler = Callable[[Ask], Answer]
