"""A small company's mail of a week: what its people write, and what comes along with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from tests.bench.corpus import DESK, load

_DAY_HOURS = (1, 1, 0, 0, 0, 1, 2, 6, 22, 30, 32, 28, 24, 18, 16, 22, 28, 24, 16, 10, 8, 5, 4, 2)
"""Mails of each hour of the day, of 300."""
MAILS = sum(_DAY_HOURS)
"""Of a day."""
_QUESTIONS = ("saldo", "informe", "historial", "ayuda")
_NEWSLETTER = {"List-Id": "<ofertas.shop.example>", "Precedence": "bulk"}
_BOUNCE = """\
From: MAILER-DAEMON@mx.shop.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce.{number}@mx.shop.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mailbox is full.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example

Final-Recipient: rfc822; somebody@shop.example
Action: failed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 mailbox full

--b--
"""
_SHARE_OF_PEOPLE = 0.72
_BIG = 9_000_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to the desk. sender: of the envelope, "" for a bounce. about: what it is, for people."""

    about: str
    sender: str
    raw: bytes
    to: str = DESK


@dataclass(frozen=True, slots=True)
class Known:
    """What of the desk a writer may know. tickets: their numbers. sent: envelope senders of mails that went out."""

    tickets: Sequence[int]
    sent: Sequence[str]


class Week:
    """Mails in their order; the same seed gives the same ones, but for what depends on the desk's answers."""

    def __init__(self, days: int, folder: Path, mails: int = MAILS, seed: int = 7) -> None:
        self._rng = random.Random(seed)
        self._numbers = count(1)
        self._hours = [number * mails // MAILS for number in _DAY_HOURS]
        corpus = load(round(days * mails * _SHARE_OF_PEOPLE) + 50, folder)
        self.clients, self.technicians = corpus.clients, corpus.technicians
        self._people = iter(corpus.mails)
        self._last: Letter | None = None

    def part(self, hour: int, step: int, steps: int, known: Known) -> Iterator[Letter]:
        """What comes in one of so many parts of an hour of the day."""
        whole = self._hours[hour]
        for _ in range(whole * (step + 1) // steps - whole * step // steps):
            self._last = self._next(known)
            yield self._last

    def _next(self, known: Known) -> Letter:
        if self._rng.random() < _SHARE_OF_PEOPLE and (mail := next(self._people, None)):
            return Letter(mail.kind, mail.sender, mail.raw)
        kinds: list[tuple[Callable[[Known], Letter], int]] = [
            (self._question, 14),
            (self._automatic, 14),
            (self._spam, 24),
            (self._closing, 22),
            (self._newsletter, 8),
            (self._repeat, 8),
            (self._bounce, 5),
            (self._broken, 7),
            (self._dear, 1),
            (self._big, 2),
        ]
        make = self._rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        return make(known)

    def _written(self, sender: str, subject: str, text: str, **header: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, DESK, subject
        mail["Message-ID"] = f"<week.{next(self._numbers)}.{self._rng.getrandbits(48):x}@{sender.partition('@')[2]}>"
        for name, value in header.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        return mail

    def _letter(self, about: str, mail: EmailMessage) -> Letter:
        raw = mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return Letter(about, str(mail["From"]), raw)

    def _question(self, known: Known) -> Letter:
        word = self._rng.choice(_QUESTIONS)
        return self._letter("question", self._written(self._rng.choice(self.clients), word, "\n"))

    def _automatic(self, known: Known) -> Letter:
        who = self._rng.choice([*self.clients, *self.technicians])
        text = "Estoy fuera de la oficina hasta el lunes.\n"
        return self._letter("automatic", self._written(who, "Fuera de la oficina", text, Auto_Submitted="auto-replied"))

    def _spam(self, known: Known) -> Letter:
        who = f"ofertas{self._rng.randrange(5000)}@shop{self._rng.randrange(300)}.example"
        text = f"Compre ya: http://shop.example/{self._rng.getrandbits(64):x}\n" * self._rng.randrange(1, 40)
        return self._letter("spam", self._written(who, f"Oferta {next(self._numbers)}", text))

    def _newsletter(self, known: Known) -> Letter:
        mail = self._written(self._rng.choice(self.clients), "Boletín del mes", "Novedades.\n")
        for name, value in _NEWSLETTER.items():
            mail[name] = value
        return self._letter("newsletter", mail)

    def _closing(self, known: Known) -> Letter:
        """A technician's last answer in a ticket."""
        if not known.tickets:
            return self._question(known)
        text = f"Resuelto, caso {next(self._numbers)}.\n\n#time {self._rng.randint(1, 40)}m\n#close\n"
        subject = f"Re: [SOP-{self._rng.choice(known.tickets)}] Incidencia"
        return self._letter("closing", self._written(self._rng.choice(self.technicians), subject, text))

    def _repeat(self, known: Known) -> Letter:
        """The mail before this one once more, by whatever road."""
        return Letter("repeat", self._last.sender, self._last.raw, self._last.to) if self._last else self._spam(known)

    def _bounce(self, known: Known) -> Letter:
        if not known.sent:
            return self._spam(known)
        to = self._rng.choice(known.sent)
        raw = _BOUNCE.format(number=next(self._numbers), to=to).replace("\n", "\r\n").encode()
        return Letter("bounce", "", raw, to)

    def _broken(self, known: Known) -> Letter:
        """Bytes that somebody's program, or a bad disk, made of a mail."""
        whole = self._spam(known).raw if self._rng.random() < 0.3 else self._closing(known).raw
        raw = bytearray(whole)
        for _ in range(self._rng.randrange(1, 60)):
            raw[self._rng.randrange(len(raw))] = self._rng.choice(b'\x01\x80\xff<>:;=?@ \t"(),')
        return Letter("broken", self._rng.choice(self.clients), bytes(raw[: self._rng.randrange(20, len(raw) + 1)]))

    def _dear(self, known: Known) -> Letter:
        """One that is read in a process of its own."""
        mail = self._written(self._rng.choice(self.clients), f"Registro {next(self._numbers)}", "Adjunto.\n")
        rows = "".join(f"<tr><td>{number}</td><td><b>fallo</b> en el equipo</td></tr>" for number in range(20_000))
        mail.add_alternative(f"<table>{rows}</table>", subtype="html")
        return self._letter("dear", mail)

    def _big(self, known: Known) -> Letter:
        mail = self._written(self._rng.choice(self.clients), f"Fotos {next(self._numbers)}", "Van las fotos.\n")
        file = self._rng.randbytes(self._rng.randrange(_BIG // 3, _BIG))
        mail.add_attachment(file, maintype="image", subtype="jpeg", filename="fotos.jpg")
        return self._letter("big", mail)
