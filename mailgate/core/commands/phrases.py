"""What clients say in plain words: yes, no, thank you, that they want their money back.

Every pattern is applied to folded text. Agreement must be beyond doubt, as it costs minutes; asking
for the money back nearly so; disagreement only draws somebody's attention.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mailgate.core.commands.vocabulary import folded

# ---- yes -----------------------------------------------------------------------------------------

LONGEST_YES = 200

_FRIENDLY = re.compile("[.,;:!¡()*_\"'«»“”…–—👍👌🙂😊😀😃😄😁🙏👏💪🎉✅✔\U0001f3fb-\U0001f3ff\ufe0f-]")
_GREETING = "hola buenas|buenos dias|buenas tardes|buenas noches|buenas|hola|hello|hi|dear"
_YES = (
    "ok|okay|okey|vale|(?:estoy |estamos |totalmente )*de acuerdo|conformes?|adelante|aprobad[oa]|aceptad[oa]"
    "|(?:i |we )?agreed?|approved|go ahead"
)
_POLITE = (
    "si|yes|perfecto|perfect|great|por favor|please|muchas gracias|mil gracias|gracias|many thanks|thanks|thank you|thx"
)
_CLOSING = (
    "un cordial saludo|un saludo|saludos cordiales|saludos|atentamente"
    "|kind regards|best regards|regards|best wishes|cheers"
)
_AGREEMENT = re.compile(
    rf"(?:(?:{_GREETING}) )?(?:(?:{_POLITE}) )*(?:{_YES}) (?:(?:{_YES}|{_POLITE}) )*(?:(?:{_CLOSING}) )?"
)


def agrees(fresh: str, names: Iterable[str] = ()) -> bool:
    """Whether the whole fresh text says yes and nothing else, nothing that could be a condition.

    names: of the people who write to each other here; their words count for nothing ("Hola, Marta: ok. Ana").
    """
    said = _few_words(fresh, names)
    return _AGREEMENT.fullmatch("".join(f"{word} " for word in said)) is not None


def _few_words(fresh: str, names: Iterable[str]) -> list[str]:
    """The words of a short text but for names, friendly signs left out; none of one that is long."""
    if len(fresh) > LONGEST_YES:
        return []
    people = {word for name in names for word in folded(name).split() if len(word) > 2}
    return [word for word in _FRIENDLY.sub(" ", folded(fresh)).split() if word not in people]


# ---- thank you -----------------------------------------------------------------------------------

_MOST_THANKS = 8

_THANKS = "(?:muchas|muchisimas|mil|infinitas) gracias|gracias|(?:many|so many) thanks|thanks|thank you|thx"
_FOR = (
    "de nuevo|otra vez|a todos|por todo|(?:so|very) much|a lot|again|for everything"
    "|por (?:la|tu|su|vuestra|el|vuestro) (?:ayuda|rapidez|atencion|respuesta|paciencia|gestion|trabajo|servicio)"
    "|for (?:the|your) (?:(?:quick|fast|prompt|kind) )?(?:help|support|work|answer|reply|service)"
)
_FINISHED = (
    f"{_YES}|si|yes|perfecto|perfect|genial|estupendo|fenomenal|great|excellent|recibido|received|solucionado|solved"
    "|todo (?:bien|correcto|perfecto)|all (?:good|fine)|(?:ya |ahora )?funciona|(?:it )?works(?: now)?"
)


def _thanking(more: str) -> re.Pattern[str]:
    around = f"(?:(?:{more}) )*" if more else ""
    thanks = f"(?:{_THANKS}) (?:(?:{_THANKS}|{_FOR}) )*"
    return re.compile(f"(?:(?:{_GREETING}) )?{around}{thanks}{around}(?:(?:{_CLOSING}) )?")


_THANK_YOU, _THANK_YOU_DONE = _thanking(""), _thanking(_FINISHED)


def thanks(fresh: str, names: Iterable[str] = (), *, over: bool = False) -> bool:
    """Whether the whole fresh text says thank you in a few words, and nothing that waits for an answer.

    over: all is done, so that what could be a yes ("perfecto, gracias") is none. names: as for `agrees`.
    """
    said = _few_words(fresh, names)
    pattern = _THANK_YOU_DONE if over else _THANK_YOU
    return len(said) <= _MOST_THANKS and pattern.fullmatch("".join(f"{word} " for word in said)) is not None


# ---- no ------------------------------------------------------------------------------------------

_NEAR = 150

_DISAGREEMENT = re.compile(
    r"\b(?:no (?:estoy|estamos) (?:\w+ ){0,3}(?:de acuerdo|conformes?)"
    r"|(?:mi|nuestro) desacuerdo|(?:mi|nuestra) disconformidad"
    r"|(?:i|we) (?:\w+ )?(?:disagree|do not agree|don.?t agree|cannot agree|can.?t agree))\b"
)
_CHARGED = re.compile(
    r"\b(?:minut|tiempo|cargo|cargad|cobr|apunt|factur|informe\b|horas?\b|importe|descont|consum|saldo|estimacion"
    r"|time\b|charge|bill|entry|entries|invoice|report\b|hours?\b|amount|balance|estimate)"
)


def disagrees(text: str) -> bool:
    """Whether a client seems to disagree, in plain words, with what was charged."""
    said = " ".join(folded(text).split())
    return any(
        _CHARGED.search(said, max(0, no.start() - _NEAR), no.end() + _NEAR) for no in _DISAGREEMENT.finditer(said)
    )


# ---- money back ----------------------------------------------------------------------------------

_SPANISH_ASK = (
    "(?:quiero|queremos|quisiera|quisieramos|solicito|solicitamos|pido|pedimos|exijo|exigimos|deseo|deseamos"
    "|reclamo|reclamamos|(?:me|nos) gustaria|vengo a|venimos a|(?:escribo|escribimos) para)"
)
_SPANISH_OUR = "(?:el |la |lo |los |las |mi |mis |nuestro |nuestra |nuestras |todo el |todo lo |su )?"
_SPANISH_PAID = (
    "(?:dinero|importe|cantidad|paquete|bono|horas|minutos|servicio|saldo|tiempo|pago|pagado|abonado"
    r"|que (?:he |hemos )?(?:pag|abon)\w+|[0-9][0-9.,]{0,9} ?(?:€|eur(?:os?)?))"
)
_SPANISH_GIVE = "(?:devuelv|devolv|reembols|reintegr)"
_ENGLISH_ASK = (
    r"\b(?:i|we)(?: would like|.d like| want| demand| request"
    "| am requesting| are requesting| am asking for| are asking for)"
)
_ENGLISH_PAID = "(?:money|package|hours|minutes|payment|service|balance|time|amount|what (?:i|we)(?: have|.ve)? paid)"
_ENGLISH_OUR = "(?:the |my |our |all |all the |all my |all our |these |those )?(?:unused |remaining |prepaid )?"

_MONEY_BACK = re.compile(
    r"(?<![\"'«“‘])(?<!\bno )(?<!tampoco )(?:"
    # Solicito la devolución del importe
    rf"\b{_SPANISH_ASK} (?:(?:solicitar|pedir|reclamar|exigir|tramitar|recibir) )?(?:la |el |una |un )?"
    r"(?:devolucion|reembolso|reintegro) (?:(?:integr|complet|inmediat|total)\w* )?"
    rf"de(?:l (?:total )?| {_SPANISH_OUR}){_SPANISH_PAID}"
    # Quiero que me devuelvan el dinero
    rf"|\b{_SPANISH_ASK} que (?:se )?(?:me|nos) {_SPANISH_GIVE}\w+ (?:ya )?{_SPANISH_OUR}{_SPANISH_PAID}"
    # Devuélvanme el dinero; ¿podéis devolvernos el dinero?; ¿nos podrían devolver lo pagado?
    rf"|\b{_SPANISH_GIVE}(?:ed|an|a|en|e)(?:me|nos) (?:ya )?{_SPANISH_OUR}{_SPANISH_PAID}"
    rf"|\b(?:podeis|podriais) {_SPANISH_GIVE}[ea]r(?:me|nos) {_SPANISH_OUR}{_SPANISH_PAID}"
    rf"|\b(?:me|nos) (?:podeis|podriais) {_SPANISH_GIVE}[ea]r {_SPANISH_OUR}{_SPANISH_PAID}"
    # I would like a refund of the package; we want our money back
    rf"|{_ENGLISH_ASK}(?: to (?:request|have|get|ask for|claim))? (?:a |the |our |my )?"
    rf"(?:full |complete |immediate )?refund (?:of|for) {_ENGLISH_OUR}{_ENGLISH_PAID}"
    rf"|{_ENGLISH_ASK}(?: to (?:have|get))? (?:my|our|the) money back"
    # Please refund our payment
    rf"|\b(?:please|(?:can|could|would) you(?: please)?) refund (?:me|us|(?:my|our) {_ENGLISH_PAID})"
    r")(?!\w)"
)
# A shop's own customers, orders and payment pages.
_SOMEBODY_ELSES = re.compile(
    r"\b(?:un|una|el|la|los|las|al|del|algun\w*|varios|otr[oa]s?|est[ea]|es[ea]|cada|nuestr[oa]s?|sus?|mis?)"
    r" (?:client|comprador|usuari|consumidor)\w*"
    r"|\b(?:el|un|al|del|su|sus|los|este|ese|cada|de|varios|algunos) pedidos?\b"
    r"|\b(?:customers?|buyers?|shoppers?|users?|(?<!in )orders?|checkout|carrito|cart|redsys|stripe|bizum)\b|\bautomati"
)
_CONDITION = re.compile(
    r"\b(?:si no|en caso de|en caso contrario|de lo contrario|unless|otherwise|if (?:you|it|this|that|we|i))\b"
)


def wants_money_back(text: str) -> bool:
    """Whether a client asks, in the first person, for the money that was paid to the desk.

    A shop's talk about the money of its own customers does not count, nor does a threat.
    """
    before = ""
    for sentence in _sentences(folded(text)):
        asked = _MONEY_BACK.search(sentence) and not _CONDITION.search(sentence)
        if asked and not _SOMEBODY_ELSES.search(f"{before} {sentence}"):
            return True
        before = sentence
    return False


def _sentences(said: str) -> Iterator[str]:
    """Each sentence, in one line."""
    for paragraph in re.split(r"\n\s*\n", said):
        yield from re.split(r"(?<=[.!?]) ", " ".join(paragraph.split()))
