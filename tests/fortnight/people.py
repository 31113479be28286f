"""What thirty clients, three technicians and a few others do in a fortnight, drawn by lot but the same each time.

Whoever acts writes down what they did and what must come of it; `test_fortnight` holds the desk against that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from mailgate.core.model import Outcome, Status
from mailgate.core.plan import Plan
from tests.fortnight.desk import DESK, MovedDesk, Sent, day_of
from tests.fortnight.hours import CLOSED, MADRID, is_open, later
from tests.fortnight.rules import CLIENTS, STAFF, address_of, desk_rules
from tests.support import reply_address

HOUR = timedelta(hours=1)
FIRST_ANSWER = 240  # minutes of desk time, as the rules promise where they say nothing else
# What brings a technician to a ticket.
_CALLS = ("notice", "handed_over", "start_today", "resumed")

REQUESTS = (
    ("El formulario", "Hola:\n\nEl formulario de contacto pide un campo que no hace falta.\n\nAna"),
    ("Un cambio en la portada", "Buenos días:\n\nHay que cambiar la foto de la portada por la adjunta.\n\nAna"),
    ("Actualizar el plugin", "Hola:\n\nEl editor avisa de que hay una versión nueva.\n\nAna"),
    ("Migrar el correo", "Hola:\n\nQueremos migrar el correo a otro proveedor.\n\nAna"),
    ("La tienda no carga", "Hola:\n\nLa tienda no carga desde hace un rato.\n\nAna"),
    ("Dudas con los pedidos", "Hola:\n\nNo encuentro los pedidos de ayer en la lista.\n\nAna"),
)
REPLIES = (
    "Hola:\n\nAhora sale de otro color. ¿Se puede dejar como estaba antes?\n\nAna",
    "Hola:\n\nTambién pasa en el móvil, con los dos navegadores que he probado.\n\nAna",
)
THANKS = ("Muchas gracias", "Mil gracias por todo.", "¡Gracias!")
ANSWERS = (
    "Hola, Ana:\n\nYa está hecho.\nLo hemos probado y funciona.\n¿Puedes comprobarlo tú también?",
    "Hola, Ana:\n\nLo hemos cambiado.\nLa copia de antes queda guardada.\nDinos si ves algo raro.",
)


@dataclass
class Chronicle:
    """What was done, by whom and when."""

    requests: dict[int, datetime] = field(default_factory=dict)
    heard: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    thanked: list[int] = field(default_factory=list)
    answered: dict[int, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    answers: int = 0
    booked: Counter[str] = field(default_factory=Counter)
    worked: dict[tuple[str, date], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    untimed: dict[tuple[str, date], list[int]] = field(default_factory=lambda: defaultdict(list))
    planned: list[int] = field(default_factory=list)
    postponed: list[int] = field(default_factory=list)
    assigned: list[tuple[int, str]] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)
    guests: list[int] = field(default_factory=list)


@dataclass
class _Task:
    """Something on a technician's desk. after: when they get to it, because they work on it without a connection."""

    mail: Sent
    after: datetime
    slow: bool = False


class Fortnight:
    """The desk with everybody who writes to it."""

    def __init__(self, desk: MovedDesk, seed: int) -> None:
        self.desk = desk
        self.log = Chronicle()
        self._lot = Random(seed)
        self._away = {key: person.away for key, person in desk_rules().technicians.items()}
        self._mine: dict[str, list[_Task]] = {person: [] for person in STAFF}
        self._later: list[tuple[datetime, str, Sent, str]] = []
        self._forgotten: set[int] = set()
        self._read = 0
        self._wishes: list[tuple[datetime, str]] = []
        self._dated: list[tuple[datetime, Callable[[], None]]] = [
            (datetime(2026, 10, 20, 18, 0, tzinfo=MADRID), self._takes_a_day_off),
            (datetime(2026, 10, 22, 12, 0, tzinfo=MADRID), self._intrudes),
            (datetime(2026, 10, 27, 11, 0, tzinfo=MADRID), self._robot_writes),
        ]

    def buy(self) -> None:
        """Every client has time enough."""
        for client in CLIENTS:
            self.desk.stored.book(960, at=self.desk.now, client=client, package="4h", price="160.00 EUR")

    def live(self, until: datetime) -> None:
        """All that happens until then."""
        self._wishes = sorted(self._drawn_wishes(until))
        for now in self.desk.moments(until):
            self._fetch()
            while self._dated and self._dated[0][0] <= now:
                self._dated.pop(0)[1]()
            while self._wishes and self._wishes[0][0] <= now:
                self._asks(self._wishes.pop(0)[1])
            for due in [one for one in self._later if one[0] <= now]:
                self._later.remove(due)
                self._replies(*due[1:])
            self._fetch()
            for person in STAFF:
                if is_open(now) and not self.away(person) and self._lot.random() < 0.35:
                    self._works(person)

    def away(self, person: str) -> bool:
        """Whether somebody is not there when the desk is open next."""
        at = self.desk.now
        while not is_open(at):
            at += timedelta(minutes=5)
        today = day_of(at)
        declared = person == "marta" and today == date(2026, 10, 21)
        return declared or any(one.since <= today <= one.until for one in self._away[person])

    # ---- clients ---------------------------------------------------------------------------------

    def _drawn_wishes(self, until: datetime) -> list[tuple[datetime, str]]:
        span = int((until - self.desk.now) / timedelta(minutes=1))
        drawn = []
        for client in CLIENTS:
            for _ in range(self._lot.choice((3, 4, 5))):
                at = self.desk.now + timedelta(minutes=self._lot.randrange(span))
                while not is_open(at) and self._lot.random() < 0.7:
                    at = self.desk.now + timedelta(minutes=self._lot.randrange(span))
                drawn.append((at, client))
        return drawn

    def _asks(self, client: str) -> None:
        subject, text = self._lot.choice(REQUESTS)
        plan = self.desk.sends(client, DESK, subject, text)
        assert plan.outcome is Outcome.OPEN, plan.why
        ticket = self.desk.ticket(plan.ticket.id if plan.ticket else 0)
        waits = ticket.status is Status.HELD
        assert ticket.technician in STAFF
        assert self.away(ticket.technician) == waits, plan.why
        assert ticket.answer_due_at == (None if waits else later(self.desk.now, FIRST_ANSWER)), plan.why
        self.log.waited += [ticket.id] * waits
        self.log.requests[ticket.id] = self.desk.now
        self.log.heard[ticket.id].append(self.desk.now)

    def _replies(self, client: str, of: Sent, text: str) -> None:
        before = self.desk.ticket(of.ticket or 0)
        # No two mails of a client are the same: what is told of them would be, too.
        told = text if text in THANKS else f"{text}\n{self.desk.now:%H:%M}"
        plan = self.desk.answers(client, of, told)
        assert plan.ticket, plan.why
        if text in THANKS:
            after = self.desk.ticket(plan.ticket.id)
            assert before.merged_into or (before.status, before.asked_at) == (after.status, after.asked_at)
            self.log.thanked.append(plan.ticket.id)
        else:
            self.log.heard[plan.ticket.id].append(self.desk.now)

    def _fetch(self) -> None:
        """Everybody reads what is new for them."""
        mails = self.desk.mails()
        for mail in mails[self._read :]:
            if mail.to in CLIENTS and mail.template == "answer":
                self._thinks(mail)
            elif mail.template == "waits_for_technician":
                self.log.waited.append(mail.ticket or 0)
            elif mail.to in CLIENTS and mail.template == "ack" and self._lot.random() < 0.25:
                then = self.desk.now + self._lot.randrange(20, 120) * timedelta(minutes=1)
                self._later.append((then, mail.to, mail, self._lot.choice(REPLIES)))
            elif mail.to in STAFF:
                self._gets(mail.to, mail)
        self._read = len(mails)

    def _thinks(self, mail: Sent) -> None:
        """A client writes again, says thank you, or is content."""
        then = self.desk.now + self._lot.randrange(20, 400) * timedelta(minutes=1)
        drawn = self._lot.random()
        if drawn < 0.3:
            self._later.append((then, mail.to, mail, self._lot.choice(REPLIES)))
        elif drawn < 0.5:
            self._later.append((then, mail.to, mail, self._lot.choice(THANKS)))

    # ---- others ----------------------------------------------------------------------------------

    def _takes_a_day_off(self) -> None:
        """Marta says that she is not there tomorrow."""
        own = reply_address(0, address_of("marta"))
        self._settled(self.desk.sends("marta", own, "Mañana", "#fuera 2026-10-21"))

    def _intrudes(self) -> None:
        """The client's designer, whom nobody knows, answers in a ticket that is open."""
        ticket = next(one for one in self.desk.tickets() if one.status in (Status.NEW, Status.OPEN))
        plan = self.desk.sends("luis@designer.example", DESK, f"Re: [SOP-{ticket.id}] {ticket.subject}", "Va el logo.")
        assert plan.outcome is Outcome.QUARANTINE, plan.why

    def _robot_writes(self) -> None:
        """Pablo's mailbox says what the desk knows already; a client's says so, too."""
        for person in ("pablo", "c01"):
            headers = "Auto-Submitted: auto-replied\n"
            plan = self.desk.sends(person, DESK, "Fuera de la oficina", "Vuelvo el lunes.", headers)
            assert plan.outcome is Outcome.KEEP, plan.why

    # ---- technicians -----------------------------------------------------------------------------

    def _gets(self, person: str, mail: Sent) -> None:
        mine = self._mine[person]
        if mail.template in _CALLS and mail.ticket:
            mine[:] = [task for task in mine if task.mail.ticket != mail.ticket or task.slow]
            slow = self._lot.random() < 0.12
            mine.append(_Task(mail, self.desk.now + (2 * HOUR if slow else timedelta()), slow))
            if self._lot.random() < 0.06 and mail.template == "notice":
                self._forgotten.add(mail.ticket)
        elif mail.template == "promise_broken":
            self._forgotten.clear()
        elif mail.template == "evening":
            self._fills(person, mail)
        elif mail.template == "guest_waits":
            self._lets_in(person, mail)

    def _works(self, person: str) -> None:
        """A look at the mail: what is urgent first, two tickets at most."""
        mine = self._mine[person]
        ready = [task for task in mine if task.after <= self.desk.now and task.mail.ticket not in self._forgotten]
        for task in sorted(ready, key=lambda task: "urgente" not in task.mail.text)[:2]:
            mine.remove(task)
            self._handles(person, task.mail)

    def _handles(self, person: str, mail: Sent) -> None:
        ticket = self.desk.ticket(mail.ticket or 0)
        if ticket.status is Status.CLOSED or ticket.merged_into:
            return
        drawn = self._lot.random()
        if drawn < 0.05 and ticket.status is Status.NEW:
            self._plans(person, mail)
        elif drawn < 0.09:
            self._hands_over(person, mail)
        elif drawn < 0.12 and (other := self._twin(ticket.id, ticket.client)):
            self._merges(person, mail, other)
        else:
            self._answers(person, mail)

    def _answers(self, person: str, mail: Sent) -> None:
        text, minutes = self._lot.choice(ANSWERS), self._lot.choice((0, 4, 8, 12, 15, 25, 40))
        text += f"\n\n#time {minutes}m" if minutes else ""
        text += "\n#close" if self._lot.random() < 0.3 else ""
        ticket = self.desk.ticket(mail.ticket or 0)
        crossed = [at for at, colleague in self.log.answered[ticket.id] if colleague != person]
        unseen = any(at > mail.at for at in (*self.log.heard[ticket.id], *crossed))
        plan = self.desk.answers(person, mail, text)
        assert (plan.hold == "collision") == unseen, (plan.why, mail.at, self.log.heard[ticket.id])
        if unseen:
            self.log.held.append(ticket.id)
            self._insists(person, self.desk.mails()[-1])
        self._answered(person, ticket.id, ticket.client, minutes)

    def _answered(self, person: str, ticket: int, client: str, minutes: int) -> None:
        self.log.answered[ticket].append((self.desk.now, person))
        self.log.answers += 1
        today = day_of(self.desk.now)
        if minutes:
            self._booked(person, client, minutes)
        else:
            self.log.untimed[person, today].append(ticket)

    def _booked(self, person: str, client: str, minutes: int) -> None:
        self.log.booked[client] += minutes
        self.log.worked[person, day_of(self.desk.now)][client] += minutes

    def _insists(self, person: str, mail: Sent) -> None:
        """What was held is sent all the same."""
        assert mail.template == "held"
        plan = self.desk.answers(person, mail, "#send")
        assert plan.releases, plan.why

    def _plans(self, person: str, mail: Sent) -> None:
        start = _open_day(day_of(self.desk.now) + timedelta(days=self._lot.choice((2, 3))))
        delivery = _open_day(start + timedelta(days=1))
        plan = self.desk.answers(person, mail, f"Lo hacemos esta semana.\n\n#plan {start} {delivery}")
        self._settled(plan)
        self.log.planned.append(mail.ticket or 0)
        self.log.answered[mail.ticket or 0].append((self.desk.now, person))
        self.log.answers += 1
        self.log.untimed[person, day_of(self.desk.now)].append(mail.ticket or 0)
        if self._lot.random() < 0.5:
            start, delivery = _open_day(start + timedelta(days=1)), _open_day(delivery + timedelta(days=2))
            self._settled(self.desk.answers(person, mail, f"#postpone {start} {delivery}"))
            self.log.postponed.append(mail.ticket or 0)

    def _hands_over(self, person: str, mail: Sent) -> None:
        others = [other for other in STAFF if other != person and not self.away(other)]
        if others:
            other = self._lot.choice(others)
            self._settled(self.desk.answers(person, mail, f"#note Es cosa tuya.\n#assign {other}"))
            self.log.assigned.append((mail.ticket or 0, other))

    def _twin(self, ticket: int, client: str) -> int | None:
        """Another ticket of the client that is not over."""
        found = [one for one in self.desk.tickets() if one.client == client and one.id < ticket]
        return next((one.id for one in found if one.status is not Status.CLOSED and not one.merged_into), None)

    def _merges(self, person: str, mail: Sent, other: int) -> None:
        self._settled(self.desk.answers(person, mail, f"#merge SOP-{other}"))
        self.log.merged.append((mail.ticket or 0, other))
        self.log.heard[other] += self.log.heard[mail.ticket or 0]
        self.log.answered[other] += self.log.answered[mail.ticket or 0]

    def _fills(self, person: str, mail: Sent) -> None:
        """The evening's form is filled in: five minutes for each."""
        missing = self.log.untimed[person, day_of(mail.at)]
        form = [line.split()[0] for line in mail.text.splitlines() if line.endswith("__m")]
        assert sorted(form) == sorted(f"SOP-{ticket}" for ticket in set(missing)), (person, missing, mail.text)
        if form and self._lot.random() < 0.8:
            self._settled(self.desk.answers(person, mail, "\n".join(f"{tag} 5m" for tag in form)))
            for ticket in dict.fromkeys(missing):
                self._booked(person, self.desk.ticket(ticket).client, 5)

    def _lets_in(self, person: str, mail: Sent) -> None:
        number = mail.text.partition("#admitir ")[2].partition("»")[0]
        self._settled(self.desk.answers(person, mail, f"#allow {number}"))
        self.log.guests.append(mail.ticket or 0)
        self.log.heard[mail.ticket or 0].append(self.desk.now)

    @staticmethod
    def _settled(plan: Plan) -> None:
        assert plan.outcome is Outcome.APPEND, plan.why
        assert not plan.hold, plan.why


def _open_day(day: date) -> date:
    while day.weekday() > 4 or day in CLOSED:
        day += timedelta(days=1)
    return day
