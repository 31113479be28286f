"""The commands of clients: `#reclamar 345 motivo`, `#devolucion`, `#tope 30m`, and their English names.

They stand where a technician's may (see `standing`). Any other `#` line of a client is text, a technician's
command too. One that is not understood carries a problem, so that the client is asked, and the
mail is filed all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from mailgate.core.commands import duration
from mailgate.core.commands.arguments import LONGEST_ESTIMATE
from mailgate.core.commands.phrases import LONGEST_YES, agrees, disagrees, wants_money_back
from mailgate.core.commands.reader import wrong
from mailgate.core.commands.standing import Lines
from mailgate.core.commands.vocabulary import folded
from mailgate.core.model import Command, Problem

__all__ = ["agrees", "disagrees", "maybe_claims", "read", "wants_money_back"]

MOST_CLAIMS = 50

_NAMES: Mapping[str, str] = {
    name: claim
    for claim, names in {
        "dispute": "dispute reclamar reclamo reclamacion",
        "refund": "refund devolucion reembolso",
        "limit": "limit tope limite",
    }.items()
    for name in names.split()
}
# After the word a stop, a blank, or at once its number ("#tope30m"): never "#limit-bar" or "#limit:hover".
_SHAPE = re.compile(r"#(?P<word>[^\W\d_]+)(?P<rest>[:=.,;!]?(?:[\s\d].*)?)", re.DOTALL)
_MONEY = re.compile("devol|devuel|reembols|reintegr|refund|money")
_HINT = re.compile(f"#|acuerdo|conform|agree|{_MONEY.pattern}")


def maybe_money_back(text: str) -> bool:
    """The same for who asks for the money back alone, with or without what is quoted below."""
    return _MONEY.search(folded(text)) is not None


@lru_cache(maxsize=2)  # of each mail's text, and of what is fresh of it twice
def maybe_claims(text: str) -> bool:
    """Whether anything of this module may apply to a text. Cheap; False only where nothing does."""
    return len(text) <= LONGEST_YES or _HINT.search(folded(text)) is not None


def read(fresh: str, tag: str) -> tuple[Command, ...]:
    """The commands "dispute", "refund" and "limit" in the fresh text of a client. Never raises.

    tag: of the desk, "SOP". A dispute names an entry, or a ticket,
    or neither, for the ticket of the mail; a line that names several gives as many. A limit has minutes,
    or the value "off". note: what the line says besides.
    """
    lines = Lines.of(fresh)
    found: list[Command] = []
    for number, line in lines.standing():
        shape = _SHAPE.fullmatch(line)
        claim = _NAMES.get(folded(shape["word"])) if shape and not set("{}") & set(line) else None
        if shape and claim:
            command = Command(claim, lines.written[number].strip(), number)
            text = " ".join(shape["rest"].lstrip(":=.,;!").split())
            found += _READERS[claim](command, f"#{shape['word']}", text, tag)
    if len(found) > MOST_CLAIMS:
        found[MOST_CLAIMS:] = [wrong(found[MOST_CLAIMS], "claim_too_many", str(len(found)), str(MOST_CLAIMS))]
    return tuple(found)


def only_limits(fresh: str, tag: str) -> bool:
    """Whether a client sets a limit and says nothing else."""
    found = read(fresh, tag)
    lines = [line for line in fresh.splitlines() if line.strip()]
    return bool(found) and len(lines) == len(found) and all(one.name == "limit" and not one.problem for one in found)


# Each reader takes the command, its name as written, the rest of the line, one space between words,
# and the desk's tag.
_Reader = Callable[[Command, str, str, str], list[Command]]

# ---- which entries or tickets --------------------------------------------------------------------

_UNIT = r"(?: ?(?:m|mins?|minutos?|minutes?|h|hrs?|horas?|hours?|d[ií]as?|days?|veces|times|eur|euros?|€|%)(?!\w))"
_LEAD = r"(?:(?:el |los |the )?(?:apuntes?|cargos?|entry|entries|tickets?) )?"
_SIGN = r"(?:#|n\.?[ºo°]\.? ?)?"
_AND = r"(?: ?[,;&+] ?(?:y |e |and )?| (?:y|e|and) )"
_NUMBERS = re.compile(r"[0-9]+(?: [0-9]+)+")
_NOT_READ = re.compile(rf"{_LEAD}{_SIGN}\d", re.IGNORECASE)
# Goes on with a number that is no entry's, and no length of time either: "345, 346-350".
_HALF_READ = re.compile(rf"{_AND}{_SIGN}\d(?![0-9]*{_UNIT})", re.IGNORECASE)


def _references(tag: str) -> re.Pattern[str]:
    """Finds "345", "apuntes 345, 346 y 347", "#345: …" and "SOP-12 …", but not "30 minutos"."""
    one = rf"(?:{_SIGN}[1-9][0-9]{{0,8}}|\[?{re.escape(tag)}-[1-9][0-9]{{0,8}}\]?)"
    one += rf"(?=$| |[,;&+]|[.:!?)](?: |$))(?!{_UNIT})"
    return re.compile(rf"{_LEAD}({one}(?:{_AND}{one})*)", re.IGNORECASE)


def _dispute(command: Command, name: str, text: str, tag: str) -> list[Command]:
    """`345, 346 reason`, `SOP-12 reason`, `reason` or nothing."""
    if _NUMBERS.fullmatch(text):
        text = text.replace(" ", ", ")
    named = _references(tag).match(text)
    rest = text[named.end() :] if named else text
    if _HALF_READ.match(rest) if named else _NOT_READ.match(text):
        return [wrong(command, "claim_entry_unreadable", text, f"{name} 345")]
    command = replace(command, note=rest.lstrip(" ,;:.!?)-–—"))
    if named is None:
        return [command]
    each = re.findall(rf"({re.escape(tag)}-)?([0-9]+)", named[1], re.IGNORECASE)
    return [
        replace(command, ticket=int(number)) if of_ticket else replace(command, entry=int(number))
        for of_ticket, number in dict.fromkeys(each)
    ]


# ---- money back, limits --------------------------------------------------------------------------

_NO_LIMIT = ("no", "off", "none", "ninguno", "sin tope", "sin limite", "no limit")
_STOPS = re.compile(r"[,;:.!]+(?= |$)")


def _refund(command: Command, name: str, text: str, tag: str) -> list[Command]:
    """`[reason]`."""
    return [replace(command, note=text)]


def _limit(command: Command, name: str, text: str, tag: str) -> list[Command]:
    """`30m`, or a word that takes the limit away."""
    text = _STOPS.sub("", text)
    if folded(text) in _NO_LIMIT:
        return [replace(command, value="off")]
    length, note = duration.lead(text)
    minutes = duration.parse(length, LONGEST_ESTIMATE)
    if not isinstance(minutes, Problem):
        return [replace(command, minutes=minutes, note=note)]
    if minutes.code == "duration_zero":
        return [replace(command, value="off")]
    if minutes.code == "duration_too_long":
        return [wrong(command, "limit_too_long", length, str(LONGEST_ESTIMATE))]
    return [wrong(command, "limit_unreadable", text, f"{name} 30m")]


_READERS: Mapping[str, _Reader] = {"dispute": _dispute, "refund": _refund, "limit": _limit}
