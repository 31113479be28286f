"""What `#time` and its like say: on which ticket, how long, on which day, and what for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mailgate.core.commands import days, duration
from mailgate.core.commands.reader import TICKET, Context, noted, ours, wrong
from mailgate.core.model import Command, Problem


@dataclass(frozen=True, slots=True)
class _Booking:
    """The arguments of `#time`, as written."""

    ticket: str
    spent: str
    day: str
    note: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.ticket, self.spent, self.day, self.note)))

    def in_order(self, context: Context) -> _Booking:
        """With the ticket and day that strayed into the note put into place.

        "12m SOP-9" would be booked on the wrong ticket, "12m llamada @ayer" on the wrong day.
        """
        words, ticket, day = self.note.split(), self.ticket, self.day
        if not ticket and words and (stray := TICKET.fullmatch(words[0])) and ours(stray, context):
            ticket = words.pop(0)
        dates = [] if day else [word for word in words if word[0] == "@" and days.named(word, context.today)]
        note = " ".join(word for word in words if word not in dates[:1])
        return _Booking(ticket, self.spent, day or "".join(dates[:1]), note)


def minutes_on(command: Command, name: str, text: str, context: Context) -> Command:
    """`[SOP-12] 12m [@day] [note]`."""
    ticket = TICKET.match(text)
    if ticket and not ours(ticket, context):
        return wrong(command, "wrong_tag", ticket[0], f"{context.tag}-{ticket[2]}")
    spent, rest = duration.lead(text[ticket.end() :] if ticket else text)
    minutes = duration.parse(spent, context.most)
    if isinstance(minutes, Problem):
        return replace(command, problem=minutes)
    at, _, note = rest.partition(" ") if rest.startswith("@") else ("", "", rest)
    day = days.parse(at, context.today)
    if isinstance(day, Problem):
        return replace(command, problem=day)
    given = _Booking(ticket[0] if ticket else "", spent, at, note)
    if (meant := given.in_order(context)) != given:
        return wrong(command, "order", command.line, f"{name} {meant}")
    number = int(ticket[2]) if ticket else None
    return noted(replace(command, minutes=minutes, day=day, ticket=number), note)
