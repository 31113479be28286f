"""Every word that means something to the desk, in both languages: commands, their values, what can be wrong.

Words are looked up folded: case, accents and invisible characters do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailgate.core.model import Category, Priority, Status

# ---- folding -------------------------------------------------------------------------------------

_INVISIBLE = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SIGNS: Mapping[str, str] = {
    **dict.fromkeys("\u00a0\u2007\u202f", " "),
    **dict.fromkeys("＃﹟", "#"),
}
# Looked for, not translated one by one: hardly any text has them.
_SIGN = re.compile(f"[{_INVISIBLE}{_DIRECTIONS}{''.join(_SIGNS)}]")


# Every combining mark that stands in Unicode's blocks of them.
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")


def plain(text: str) -> str:
    """Text as it looks: composed (NFC), without what cannot be seen, NBSP as space, ＃ as #."""
    if text.isascii():
        return text
    return _SIGN.sub(lambda sign: _SIGNS.get(sign[0], ""), unicodedata.normalize("NFC", text))


def folded(text: str) -> str:
    """Text for comparison: `plain`, lower case, without accents. Digits of other scripts stay."""
    lower = plain(text).lower()
    if lower.isascii():
        return lower
    return _ACCENTS.sub("", unicodedata.normalize("NFD", lower))


# ---- commands ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verb:
    """A command. name, spanish: without "#", folded. arguments: as help shows them."""

    name: str
    spanish: str
    arguments: str = ""
    director_only: bool = False


VERBS: tuple[Verb, ...] = (
    Verb("time", "tiempo", "[SOP-12] 12m [@day] [note]"),
    Verb("call", "llamada", "[SOP-12] 10m [@day] [note]"),
    Verb("free", "cortesia", "[SOP-12] 10m [@day] [note]"),
    Verb("note", "nota"),
    Verb("status", "estado", "[SOP-12] open|waiting|closed"),
    Verb("close", "cerrar", "[SOP-12]"),
    Verb("priority", "prioridad", "[SOP-12] urgent|high|normal|low"),
    Verb("assign", "asignar", "[SOP-12] marta"),
    Verb("category", "categoria", "[SOP-12] security"),
    Verb("void", "anular", "345 [reason]"),
    Verb("send", "enviar", "[SOP-12] [marta]"),
    Verb("yes", "si"),
    Verb("estimate", "estimar", "[SOP-12] 90m [ask]"),
    Verb("plan", "planificar", "[SOP-12] 2026-12-01 [2026-12-03]"),
    Verb("postpone", "aplazar", "[SOP-12] 2026-12-04 [2026-12-05] [reason]"),
    Verb("merge", "unir", "[SOP-12] SOP-9"),
    Verb("redact", "ocultar", "[SOP-12] text"),
    Verb("allow", "admitir", "17"),
    Verb("away", "fuera", "2026-12-21 [2026-12-24]|off"),
    Verb("test", "prueba"),
    Verb("uphold", "confirmar", "345 [reason]", director_only=True),
    Verb("adjust", "ajustar", "345 10m [reason]", director_only=True),
    Verb("accept", "aceptar", "[SOP-12] [reason]", director_only=True),
    Verb("decline", "rechazar", "[SOP-12] [reason]", director_only=True),
    Verb("cancel", "cancelar", "[SOP-12] [reason]", director_only=True),
    Verb("release", "liberar", "17", director_only=True),
    Verb("drop", "descartar", "17", director_only=True),
)

_BY_NAME: Mapping[str, Verb] = {name: verb for verb in VERBS for name in (verb.name, verb.spanish)}


def verb(word: str) -> Verb | None:
    """The command of this name in either language."""
    return _BY_NAME.get(folded(word))


_OTHER_TOOLS: Mapping[str, str] = {
    word: ours
    for ours, words in {
        "time": "spend spent log track worklog minutes minute mins min hours hour",
        "tiempo": "tiempos minutos minuto horas hora dedicado",
        "call": "phone phonecall",
        "llamada": "telefono tel telefonica",
        "free": "courtesy gratis nocharge",
        "note": "internal private",
        "nota": "interno interna privado privada",
        "close": "closed closes solve solved resolve resolved done fixed finished",
        "cerrar": "cerrado cerrada cierra cierro resuelto resuelta solucionado hecho terminado",
        "status open": "open reopen reopened",
        "estado abierto": "abrir abierto reabrir",
        "status waiting": "pending wait waiting",
        "estado en espera": "espera pendiente esperando",
        "priority urgent": "urgent prio",
        "prioridad urgente": "urgente",
        "assign": "assignee assigned owner",
        "asignar": "asignado asignada pasar",
        "category": "categories cat",
        "categoria": "categorias",
        "estimate": "estimated estimation",
        "estimar": "estimado estimada estimacion",
        "away": "absent absence vacation holiday holidays ooo",
        "fuera": "ausente ausencia vacaciones festivo libre",
    }.items()
    for word in words.split()
}


@lru_cache(maxsize=512)
def nearest(word: str, *, director: bool = False) -> str | None:
    """What was probably meant by a word that is no command: "close" for "closed" or "colse".

    Another tool's word, else a command one letter off (two, where both have six letters or
    more; none, for commands of three or fewer), of those that the writer may use. May have a value with
    it: "status open".
    """
    sought = folded(word)
    if sought in _OTHER_TOOLS:
        return _OTHER_TOOLS[sought]
    verbs = [(name, verb) for name, verb in _BY_NAME.items() if len(name) > 3]
    names = [name for name, verb in verbs if director or not verb.director_only]
    near = [(distance, name) for name in names if (distance := _letters_off(sought, name)) is not None]
    return min(near)[1] if near else None


def _letters_off(word: str, name: str) -> int | None:
    """How many letters off, None if too many for a slip of the fingers."""
    most = 1 if min(len(word), len(name)) < 6 else 2
    if abs(len(word) - len(name)) > most:
        return None
    distance = _distance(word, name)
    return distance if distance <= most else None


def _distance(one: str, other: str) -> int:
    """Damerau-Levenshtein, in its optimal string alignment form: letters added, lost, changed, swapped."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[-1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


# ---- values of commands --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """How a value is called. The first of each language is the one that people are shown."""

    value: StrEnum
    english: tuple[str, ...]
    spanish: tuple[str, ...]

    def shown(self, *, spanish: bool) -> str:
        """The word to show to somebody who wrote in this language."""
        return (self.spanish if spanish else self.english)[0]


STATUSES: tuple[Word, ...] = (
    Word(Status.NEW, ("new",), ("nuevo", "nueva")),
    Word(Status.OPEN, ("open", "opened"), ("abierto", "abierta")),
    Word(Status.WAITING, ("waiting", "pending"), ("en espera", "espera", "esperando", "pendiente")),
    Word(Status.SCHEDULED, ("scheduled", "planned"), ("planificado", "planificada", "programado")),
    Word(Status.HELD, ("held", "hold", "on hold"), ("retenido", "retenida", "en pausa")),
    Word(Status.CLOSED, ("closed",), ("cerrado", "cerrada")),
)
SETTABLE: tuple[Status, ...] = (Status.OPEN, Status.WAITING, Status.CLOSED)

PRIORITIES: tuple[Word, ...] = (
    Word(Priority.URGENT, ("urgent",), ("urgente",)),
    Word(Priority.HIGH, ("high",), ("alta", "alto")),
    Word(Priority.NORMAL, ("normal",), ("normal",)),
    Word(Priority.LOW, ("low",), ("baja", "bajo")),
)

CATEGORIES: tuple[Word, ...] = (
    Word(Category.EXTENSIONS, ("extensions", "extension"), ("extensiones", "extensión")),
    Word(Category.SECURITY, ("security",), ("seguridad",)),
    Word(Category.TRAINING, ("training",), ("formación",)),
    Word(Category.MIGRATION, ("migration",), ("migración",)),
    Word(Category.UPDATE, ("update", "updates"), ("actualización", "actualizaciones")),
    Word(Category.DESIGN, ("design",), ("diseño",)),
    Word(Category.INTEGRATION, ("integration",), ("integración",)),
    Word(Category.PROGRAMMING, ("programming",), ("programación",)),
    Word(Category.BUG, ("bug", "error"), ("error", "fallo")),
)


def meaning(words: Iterable[Word], text: str) -> StrEnum | None:
    """The value that a word of either language stands for."""
    sought = folded(text)
    return next((w.value for w in words if sought in map(folded, w.english + w.spanish)), None)


# ---- what can be wrong ---------------------------------------------------------------------------

# Where `right` is a list, it is separated by ", ". A whole line starts with "#". Those that begin with
# `claim` or `limit`, and the two of a refund, are said to clients, the others to staff.
PROBLEMS: tuple[str, ...] = (
    "unknown_near",  # got: the word as written, "#closed"; right: the line that was probably meant
    "dressed",  # got: the line, "- #close" or "«#close»"; right: the command alone, "#close"
    "looks_like_code",  # got: the line; right: "```", to be put round pasted code
    "fence_open",  # got: the line; right: "```". A command after a ``` or ~~~ that nothing closes
    "takes_nothing",  # got: the words after the command; right: the command alone, "#close"
    "too_much",  # got: the words after the value; right: the line as it may be, "#status waiting"
    "argument_missing",  # got: the command alone; right: an example, "#status waiting"
    "order",  # got: the line; right: the same with ticket, duration, day and note in this order
    "duration_missing",  # got: ""; right: an example, "12m"
    "duration_unreadable",  # got: what stands where the duration should; right: an example
    "duration_zero",  # got: "0"; right: "1m"
    "duration_negative",  # got: "-5m"; right: the same without the sign
    "duration_digits",  # got: digits that are not 0-9; right: the same in 0-9
    "duration_notation",  # got: "1e3m", "1_000"; right: an example in plain digits
    "duration_parts",  # got: "12 m 5", "1h75": parts that do not fit together; right: an example
    "duration_not_whole",  # got: "1,33h"; right: the list of the nearest whole minutes, "79m, 80m"
    "duration_too_long",  # got: "999h"; right: the most that one command may book, in minutes, "720"
    "day_unreadable",  # got: "@lunes"; right: an example, "@2026-11-02"
    "day_future",  # got: "@2026-12-24"; right: today, "@2026-11-03"
    "day_too_old",  # got: "@2024-11-02"; right: the oldest day that can be booked
    "plan_unreadable",  # got: what stands where a day should; right: "#plan 2026-12-01 2026-12-03"
    "plan_too_far",  # got: a day that is years ahead; right: the last one that can be planned
    "plan_past",  # got: the start, a day that is over; right: the line with the next day of the desk
    "plan_backwards",  # got: start and delivery, the later one first; right: the line, the right way round
    "plan_closed",  # got: a day on which the desk is closed; right: the line with the next day on which it is open
    "delivery_missing",  # got: the planned delivery, before the new start; right: the line with a delivery
    "not_planned",  # got: a "#postpone …" of what has no plan; right: the "#plan …" that was meant
    "wrong_tag",  # got: "WEB-12"; right: the same with the desk's tag, "SOP-12"
    "note_too_long",  # got: its length in characters; right: the most, "500"
    "contradicts",  # got: the line; right: "". An earlier line of the mail decides the same otherwise
    "booked_already",  # got: a line of the form; right: the number of the entry that an earlier answer to it booked
    "twice",  # got: the line, the same as an earlier one; right: the line with something to tell it apart
    "status_unknown",  # got: what was written; right: list of words, in the language of the command
    "status_not_settable",  # got: e.g. "scheduled", set by the desk itself; right: list of words
    "priority_unknown",  # got, right: as for status_unknown
    "category_unknown",  # got, right: as for status_unknown
    "technician_unknown",  # got: what was written; right: list of technicians' ids
    "technician_ambiguous",  # got: what was written; right: list of the ids that it may mean
    "entry_unreadable",  # got: what stands where the entry's number should; right: "#void 345"
    "quarantine_unreadable",  # got: what stands where the number should; right: "#release 17"
    "not_in_quarantine",  # got: the number of a message that is not there, or was decided on already
    "no_guest",  # got: the number of a message in quarantine that is no stranger's who points at a ticket
    "merge_itself",  # got: the ticket to merge into, "SOP-9", which is the same, or went into this one
    "merge_other_client",  # got: the ticket to merge into, "SOP-9", which is another client's
    "secret_too_short",  # got: the text to take out; right: how many letters it has at least, "4"
    "merge_twice",  # got: the line; an earlier line of the mail merges tickets, too
    "no_such_ticket",  # got: "SOP-99", which does not exist
    "no_such_entry",  # got: the number; right: "". No debit or courtesy has it
    "not_your_entry",  # got: the number of an entry that somebody else booked
    "already_void",  # got: the number of an entry that was taken back before
    "void_too_late",  # got: the number of one's own entry, booked more than a day ago
    "nothing_held",  # got: the line, "#send"; nothing of that ticket waits for the technician's word
    "not_your_answer",  # got: the name of a colleague, whose held answer is not the writer's to send
    "adjust_to_nothing",  # got: the minutes, "0m"; right: what takes the entry back, "#void 345"
    "estimate_too_long",  # got: "999h"; right: the most of an estimate, in minutes, "6000"
    "reason_missing",  # got: the line of a ruling; right: the same with a reason, "#uphold 345 …"
    "not_disputed",  # got: the number of an entry that no client disagrees with
    "adjust_too_much",  # got: the minutes asked for; right: the most that the entry can be left at
    "nothing_to_accept",  # got: "#accept"; nothing of this ticket waits for the director's word
    "no_client",  # got: the line; the ticket is a prospect's, who has no account
    "books_halted",  # got: the line; nothing is booked until the books add up again
    "away_unreadable",  # got: what is no day; right: an example, "#away 2026-12-21 2026-12-24"
    "away_backwards",  # got: "2026-12-24 2026-12-21"; right: the line with the days the right way round
    "away_over",  # got: the last day, which has passed; right: today
    "away_too_far",  # got: the last day; right: the last one that can be written, a year ahead
    "over_balance",  # got: the minutes asked for; right: the minutes that the client has left
    "claim_entry_unreadable",  # got: what stands where the entry's number should; right: "#dispute 345"
    "claim_no_such_entry",  # got: the number; right: "". The client has no such debit
    "claim_already",  # got: the entry's number, or the line: disputed, or decided on, already
    "claim_too_many",  # got: how many entries and tickets one mail names; right: the most, "50"
    "claim_no_ticket",  # got: the line, which is about a ticket that cannot be told
    "limit_unreadable",  # got: what stands where the duration should; right: "#limit 30m"
    "limit_too_long",  # got: "999h"; right: the most, in minutes, "720"
    "already_refunded",  # what was paid has been asked back, or given back, already
    "nothing_paid",  # there is no purchase that could be given back
    "period_unreadable",  # got: "2026-13"; right: the two forms, "2026-10, 2026-10-01..2026-11-15"
    "period_backwards",  # got: "2026-11-15..2026-10-01"; right: the same, the right way round
    "period_future",  # got: "2027-01"; right: the month of today, "2026-11"
)
