"""The mails that are measured with: the shared corpus where it lies beside the checkout, else a plain one.

Both are deterministic. Of a hundred mails 60 are new requests, 30 clients' replies and 10 technicians'
answers with a line `#time 12m`; a reply follows what it answers and threads to it.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path

DESK = "soporte@bench.example"
CLIENTS = 50
TECHNICIANS = 5
MINUTES = 12
SHARED = Path(__file__).resolve().parents[3] / "shared" / "bench"

_SALT = b".s0000@"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail of the corpus. parent: number of the mail that it answers; kind: "new", "client_reply", "tech_reply"."""

    number: int
    kind: str
    sender: str
    parent: int | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Corpus:
    """clients, technicians: their addresses. folder: where the mails lie, in the shared form."""

    name: str
    mails: tuple[Mail, ...]
    clients: tuple[str, ...]
    technicians: tuple[str, ...]
    folder: Path | None

    def salted(self, salt: int) -> tuple[Mail, ...]:
        """The same mails under other Message-IDs, so that a desk that knows the first takes these as well."""
        new = b".s%04d@" % salt
        return tuple(replace(mail, raw=mail.raw.replace(_SALT, new)) for mail in self.mails)


def load(number: int, folder: Path) -> Corpus:
    """A corpus of so many mails, written into `folder` where it is the shared one."""
    if not (SHARED / "make_corpus.py").is_file():
        return _plain(number)
    maker = [sys.executable, str(SHARED / "make_corpus.py"), str(number), str(folder)]
    people = ["--clients", str(CLIENTS), "--techs", str(TECHNICIANS)]
    subprocess.run([*maker, "--seed", "1", *people], check=True)
    told = json.loads((folder / "people.json").read_text(encoding="utf-8"))
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return Corpus(
        "shared",
        tuple(_listed(json.loads(line), folder) for line in lines),
        tuple(person["addr"] for person in told["clients"]),
        tuple(person["addr"] for person in told["techs"]),
        folder,
    )


def _listed(entry: dict[str, object], folder: Path) -> Mail:
    parent = entry["parent"]
    return Mail(
        number=int(str(entry["i"])),
        kind=str(entry["kind"]),
        sender=str(entry["from"]),
        parent=None if parent is None else int(str(parent)),
        raw=(folder / str(entry["file"])).read_bytes(),
    )


def _plain(number: int) -> Corpus:
    clients = tuple(f"cliente{i:02d}@empresa{i % 10}.example" for i in range(CLIENTS))
    technicians = tuple(f"tecnico{i}@bench.example" for i in range(TECHNICIANS))
    mails = tuple(_written(number, clients, technicians))
    return Corpus("plain", mails, clients, technicians, None)


def _written(number: int, clients: Sequence[str], technicians: Sequence[str]) -> Iterator[Mail]:
    chance = random.Random(1)
    kinds = ["client_reply"] * round(number * 0.3) + ["tech_reply"] * round(number * 0.1)
    kinds += ["new"] * (number - 1 - len(kinds))
    chance.shuffle(kinds)
    threads: list[list[tuple[int, str, list[str]]]] = []  # of each: number, sender, references
    for at, kind in enumerate(["new", *kinds]):
        if kind == "new":
            sender, parent, references = chance.choice(clients), None, []
            threads.append(thread := [])
        else:
            thread = chance.choice(threads[-200:])
            parent, _, before = chance.choice(thread)
            sender = chance.choice(technicians) if kind == "tech_reply" else thread[0][1]
            references = [*before, _message_id(parent)][-10:]
        thread.append((at, sender, references))
        yield Mail(at, kind, sender, parent, _composed(at, kind, sender, references, chance))


def _message_id(number: int) -> str:
    return f"<2025.{number:06d}.s0000@mail.example>"


def _composed(number: int, kind: str, sender: str, references: list[str], chance: random.Random) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = sender, DESK, _message_id(number)
    mail["Subject"] = f"{'' if kind == 'new' else 'Re: '}Incidencia {number:06d} en la página web"
    if references:
        mail["In-Reply-To"], mail["References"] = references[-1], " ".join(references)
    work = f"#time {MINUTES}m\n\n" if kind == "tech_reply" else ""
    text = f"Buenos días:\n\nLa impresora número {number} no responde desde esta mañana.\n\n{work}Un saludo\n"
    mail.set_content(text, cte="quoted-printable")
    if chance.random() < 0.6:
        mail.add_alternative("".join(f"<p>{line}</p>" for line in text.splitlines()), subtype="html")
    if chance.random() < 0.1:
        file = chance.randbytes(chance.randrange(50_000, 300_000))
        mail.add_attachment(file, maintype="image", subtype="png", filename="captura.png")
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
