"""Whether a word looks like a password: how sure one must be depends on what stands before it."""

from __future__ import annotations

import re

# What follows "contraseña:" and is none: the sentence goes on.
_WORDS = """
a al algo algun alguna antes aqui así asi aún aun como cómo con contraseña cual cuál cuando cuándo de debe del desde
dice donde dónde el ella en entre es esa ese esta está estan están este esto he hay has ha la las le les lo los mas
más me mi misma mismo muy nada ni ninguna ninguno no nos nuestra nuestro nueva nuevo o os para pendiente pero por
porque que qué quien quién se sea según sera será si sí siempre siguiente sin sobre solo su sus también tampoco te
tengo tiene todo tu tú un una uno usa usar ver vuestra y ya yo about an and any are as at be been by can cannot
could did do does for from had has have how i if in into is it its just keep make my need needs never new none not
of on once one only or our please same see sent she should so some such than that the their them then there these
they this those to too under until use used via want was we were what when where which who why will with would yes
you your incorrecta incorrecto incorrect invalid invalida inválida wrong required obligatorio obligatoria reset
restablecer link enlace null none true false n/a undefined string
"""
_SENTENCES = frozenset(_WORDS.split())
_ENDS = ".,;:!?)]}»”’\"'*_`>|"
_STARTS = "([{«“‘\"'*_`<|"
_SIGN = re.compile(r"[!$%&+#@=?^~*€£§¡¿|\\]")
_TRIVIAL = re.compile(r"[\W_]*|v?\d+(?:[.,]\d+)*[%€]?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|https?://.*|www\..*|⟦.*|•+|x+|X+")
_ADDRESS = re.compile(r"[^\s@]+@[\w-]+(?:\.[\w-]+)+")


def trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    """The span of a word without the marks around it, as a sentence or a table sets them."""
    while start < stop and text[start] in _STARTS:
        start += 1
    while stop - 1 > start and text[stop - 1] in _ENDS and not _belongs(text, start, stop):
        stop -= 1
    return start, stop


def _belongs(text: str, start: int, stop: int) -> bool:
    """Whether a last sign is more likely a password's than the sentence's."""
    return text[stop - 1] in "!?*" and (stop == len(text) or text[stop].isspace() or text[stop] in ",;")


def is_word(value: str) -> bool:
    """Whether a sentence goes on with it."""
    return value.lower() in _SENTENCES


def is_trivial(value: str) -> bool:
    """Whether it is a figure, a date, a version, an address or nothing at all."""
    return _TRIVIAL.fullmatch(value) is not None or _ADDRESS.fullmatch(value) is not None


def is_strong(value: str) -> bool:
    """Whether no word of a sentence looks so: letters with digits or signs among them."""
    if len(value) < 4 or is_trivial(value) or is_word(value):
        return False
    letters = any(char.isalpha() for char in value)
    return letters and (any(char.isdigit() for char in value) or _SIGN.search(value) is not None)


def is_very_strong(value: str) -> bool:
    """Whether it is a password though nothing says so: a sign beside letters and digits, or all of both cases mixed."""
    if len(value) < 6 or not is_strong(value) or "/" in value:
        return False
    kinds = (
        any(char.islower() for char in value),
        any(char.isupper() for char in value),
        any(char.isdigit() for char in value),
        _SIGN.search(value) is not None,
    )
    return sum(kinds) >= 3 and (kinds[3] or len(value) >= 8)
