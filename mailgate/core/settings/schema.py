"""The sections of `rules.toml` about the desk and its people: every key, its type and its default.

Frozen, strict, nothing unknown. Durations are ints of minutes, or a `Period` of the calendar. The
sections about servers are in `servers`; `rules` puts all together.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from mailgate.core.model import Category, Priority
from mailgate.core.settings import fields, units
from mailgate.core.settings.fields import written
from mailgate.core.settings.units import Cap, MonthDay, Period, Span

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(False)]
Some = Annotated[tuple[T, ...], Strict(False), BeforeValidator(fields.some)]
OneOrMany = Annotated[tuple[T, ...], Strict(False), BeforeValidator(fields.listed)]

Text = Annotated[str, AfterValidator(fields.plain)]
Address = Annotated[str, AfterValidator(fields.address)]
Pattern = Annotated[str, AfterValidator(fields.pattern)]
Authorised = Annotated[str, AfterValidator(fields.authorised)]
Minutes = Annotated[int, BeforeValidator(written(units.minutes))]
Days = Annotated[int, BeforeValidator(written(units.days))]
Term = Annotated[Period, BeforeValidator(written(units.period))]
Ceiling = Annotated[Cap, BeforeValidator(written(units.cap))]
Yearly = Annotated[MonthDay, BeforeValidator(written(units.month_day))]
Clock = Annotated[time, BeforeValidator(written(units.clock))]
Day = Annotated[date, BeforeValidator(fields.day)]
Spans = Annotated[tuple[Span, ...], BeforeValidator(fields.spans)]
Phrase = Annotated[str, AfterValidator(fields.words)]
Area = Annotated[Category, Strict(False)]
Whole = Annotated[int, Field(ge=1)]
Language = Literal["es", "en"]


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Desk(Section):
    """[desk]. payment: how to pay, as clients read it. prospects_per_day: unknown people answered a day."""

    name: Text
    address: Address
    aliases: Many[Address] = ()
    tag: Annotated[str, AfterValidator(fields.tag)] = "SOP"
    admin: Address
    director: Text
    language: Language = "es"
    timezone: Annotated[str, AfterValidator(fields.zone)] = "Europe/Madrid"
    strangers: Literal["quarantine", "prospect", "reject"] = "quarantine"
    prospects_per_day: Whole = 20
    payment: Text = ""
    url: Annotated[str, AfterValidator(fields.url)] = "http://127.0.0.1:8080"
    quote_client: bool = True
    tag_client_subject: bool = False


class Week(Section):
    """Opening hours by weekday; a day left out is closed."""

    mon: Spans = ()
    tue: Spans = ()
    wed: Spans = ()
    thu: Spans = ()
    fri: Spans = ()
    sat: Spans = ()
    sun: Spans = ()

    def on(self, weekday: int) -> tuple[Span, ...]:
        """The hours of a weekday, 0 for Monday."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)[weekday]


class Season(Week):
    """Days of every year, the last one included, that have a week of their own; may span New Year."""

    since: Yearly = Field(alias="from")
    until: Yearly = Field(alias="to")

    @property
    def name(self) -> str:
        """The first and the last day."""
        return "{:02}-{:02} to {:02}-{:02}".format(*self.since, *self.until)

    def covers(self, day: MonthDay) -> bool:
        """Whether a day falls into the season."""
        if self.since <= self.until:
            return self.since <= day <= self.until
        return day >= self.since or day <= self.until


class Holidays(Section):
    """Public holidays of a country and region, with days of the desk's own; `open` undoes one."""

    country: str = ""
    region: str = ""
    closed: Many[Day] = ()
    open: Many[Day] = ()

    @model_validator(mode="after")
    def _are_known(self) -> Self:
        fields.region_of(self.country, self.region)
        if both := sorted({*self.closed} & {*self.open}):
            raise ValueError(f"{both[0]} is both closed and open; take it out of one")
        return self


class Hours(Week):
    """[hours]. last_quick: until when a message counts for the quick answer."""

    last_quick: Clock = time(19, 30)
    holidays: Holidays = Holidays(country="ES", region="MD")
    seasons: Many[Season] = ()

    def week_of(self, day: date) -> Week:
        """The week that is in force on a day: a season's, else the usual one."""
        when = MonthDay(day.month, day.day)
        return next((season for season in self.seasons if season.covers(when)), self)

    @model_validator(mode="after")
    def _open_some_day(self) -> Self:
        year = [date(2024, 1, 1) + timedelta(days=day) for day in range(366)]
        for when in (MonthDay(day.month, day.day) for day in year if len(self.seasons) > 1):
            if len(covering := [season for season in self.seasons if season.covers(when)]) > 1:
                first, second = covering[:2]
                raise ValueError(f"the seasons {first.name} and {second.name} overlap; a day has one season")
        if not any(self.week_of(day).on(weekday) for day in year for weekday in range(7)):
            raise ValueError('the desk is never open; write hours such as mon = "10:00-20:00"')
        return self


class Promise(Section):
    """[promise], in minutes of desk time.

    short_absence: on how many open days of the desk a technician may be away while their tickets wait for them.
    """

    first_answer: Minutes = 240
    warn_before: Annotated[int | None, BeforeValidator(fields.optional(units.minutes))] = 60
    quick_answer: Minutes = 60
    quick_minutes: Whole = 10
    short_absence: Days = 2


class Time(Section):
    """[time], how minutes are counted. estimate_margin: per cent. approve_above: minutes, None for never.
    confirm_above: minutes that one line may book before its writer is asked back, None for never.

    estimate_tell_client: whether the client, too, is told of an estimate that was passed.
    """

    max_per_command: Minutes = 720
    overdraft: Literal["allow", "cap", "refuse"] = "allow"
    missing: Literal["remind", "off"] = "remind"
    approve_above: Annotated[int | None, BeforeValidator(fields.optional(units.minutes))] = None
    confirm_above: Annotated[int | None, BeforeValidator(fields.optional(units.minutes))] = 360
    warn_at: Many[Minutes] = (60, 30)
    expires_after: Term = Period(months=12)
    expiry_warnings: Many[Term] = (Period(days=30), Period(days=7))
    refund_window: Term = Period(days=15)
    estimate_margin: Annotated[int, Field(ge=0, le=1000)] = 10
    estimate_tell_client: bool = True
    reopen_within: Term = Period(days=15)


class Limits(Section):
    """[limits], what only programs pass. Each is a ladder: none of its caps may be passed.

    answers: automatic mails to an address that answers automatic mails. turns: in a ticket, how often the word may
    go from one side to the other.
    """

    answers: Some[Ceiling] = (Cap(20, 600), Cap(60, 3600), Cap(200, 86_400))
    turns: Some[Ceiling] = (Cap(40, 600), Cap(80, 3600), Cap(200, 86_400))


class Retention(Section):
    """[retention], how long what people wrote is kept, None for as long as the store; removed the day after that.

    raw_mail: mails as they came and as they went out, attachments: the files in them; both from the day on which their
    ticket was closed, of what belongs to no ticket from the day it came. quarantine: what waits there, or waited.
    closed_tickets: what was said in a closed ticket; its entries stay. access_data: passwords and the like, kept apart
    and in the mails that told them, from the same day as these. looks: who looked at access data.
    books: how long the law wants the ledger to name its clients, from the last entry on; `erase` asks for it.
    """

    raw_mail: Annotated[Period | None, BeforeValidator(fields.optional(units.period))] = None
    attachments: Annotated[Period | None, BeforeValidator(fields.optional(units.period))] = None
    quarantine: Annotated[Period | None, BeforeValidator(fields.optional(units.period))] = None
    closed_tickets: Annotated[Period | None, BeforeValidator(fields.optional(units.period))] = None
    access_data: Annotated[Period | None, BeforeValidator(fields.optional(units.period))] = None
    looks: Annotated[Period | None, BeforeValidator(fields.optional(units.period))] = None
    books: Term = Period(months=72)


class Package(Section):
    """[packages.ID], minutes that can be bought. first: may be a client's first purchase."""

    minutes: Whole
    price: Annotated[str, AfterValidator(fields.price)]
    first: bool = False


class Away(Section):
    """Days on which a technician does not work, the last one included."""

    since: Day = Field(alias="from")
    until: Day = Field(alias="to")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.until < self.since:
            raise ValueError(f'ends before it starts; write from = "{self.until}", to = "{self.since}"')
        return self


class Technician(Section):
    """[technicians.ID]. password_file, password_env: where the password is with which they sign in at the gateway."""

    name: Text
    addresses: Some[Address]
    password_file: str = ""
    password_env: str = ""
    categories: Many[Area] = ()
    away: Many[Away] = ()


def _first_address(data: dict[str, Any]) -> str:
    return next((address for address in data["addresses"] if not address.startswith("*@")), "")


class Client(Section):
    """[clients.ID]. contact: who gets notices and reports, the first address where none is named."""

    name: Text
    addresses: Some[Authorised]
    contact: Address = Field(default_factory=_first_address)
    technician: Text | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _has_a_contact_of_its_own(self) -> Self:
        if not self.contact:
            raise ValueError("has only wildcards as addresses; name one person as contact")
        if not {self.contact, f"*@{self.contact.partition('@')[2]}"} & set(self.addresses):
            raise ValueError(f"the contact {self.contact} is not among the client's addresses; add it there")
        return self


class Match(Section):
    """When a rule applies: all of its keys, each where one of its words does (`all`: every word).

    any, all: in subject or fresh text; subject: in the subject; attachment: in the name of one, ""
    for any at all. Words are whole words, whatever case and accents.
    """

    any: OneOrMany[Phrase] = ()
    all: OneOrMany[Phrase] = ()
    subject: OneOrMany[Phrase] = ()
    sender: OneOrMany[Pattern] = Field((), alias="from")
    client: OneOrMany[Text] = ()
    category: OneOrMany[Area] = ()
    attachment: Annotated[tuple[str, ...], Strict(False), BeforeValidator(fields.attachments)] = ()
    outside_hours: bool | None = None


class Actions(Section):
    """What a rule sets. assign: id of a technician; notify: ids of technicians who are told."""

    priority: Annotated[Priority, Strict(False)] | None = None
    category: Area | None = None
    assign: Text | None = None
    notify: OneOrMany[Text] = ()
    hold: bool = False
    drop: bool = False

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if self == Actions.model_construct():
            raise ValueError("sets nothing; use priority, category, assign, notify, hold or drop")
        return self


class Rule(Section):
    """[[rules]]"""

    name: Text
    match: Match = Match()
    set: Actions
