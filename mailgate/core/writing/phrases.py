"""How a value is said in a language: durations, days, hours, numbers. Babel knows the languages."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal

_REGIONS = {"en": "en_GB"}  # the day before the month, as everywhere in Europe

_COMMAND = re.compile(r"^([^\w\n#＃﹟@]*)(?=[#＃﹟@])", re.MULTILINE)


@cache
def locale(language: str) -> Locale:
    """Babel's knowledge of a language; UnknownLocaleError where it has none."""
    return Locale.parse(_REGIONS.get(language, language))


def duration(minutes: int) -> str:
    """75 -> "1 h 15 min", 60 -> "1 h", -5 -> "-5 min"; the units are the same in every language (SI)."""
    hours, rest = divmod(abs(minutes), 60)
    spoken = [f"{hours} h"] if hours else []
    if rest or not hours:
        spoken.append(f"{rest} min")
    return ("-" if minutes < 0 else "") + " ".join(spoken)


@lru_cache(maxsize=512)  # mails of today name the same few days
def day(when: date, language: str) -> str:
    """ "lunes, 2 de noviembre de 2026", "Monday, 2 November 2026"."""
    return format_date(when, "full", locale=locale(language))


@lru_cache(maxsize=512)
def weekday(when: date, language: str) -> str:
    """ "lunes", "Monday"."""
    return format_date(when, "EEEE", locale=locale(language))


@lru_cache(maxsize=512)
def short_day(when: date, language: str) -> str:
    """ "2 nov 2026"."""
    return format_date(when, "medium", locale=locale(language))


def day_of_any_year(when: date, language: str) -> str:
    """ "31 de agosto", "31 August"."""
    return format_skeleton("MMMMd", datetime(when.year, when.month, when.day), locale=locale(language))


def hour(when: datetime) -> str:
    """ "09:05", in the zone of the value."""
    return f"{when.hour:02}:{when.minute:02}"


def moment(when: datetime, language: str) -> str:
    """ "2 nov 2026, 09:05", in the zone of the value."""
    return f"{short_day(when, language)}, {hour(when)}"


def count(number: int, one: str, many: str, language: str) -> str:
    """ "1 ticket", "1.204 tickets"."""
    known = locale(language)
    word = one if known.plural_form(abs(number)) == "one" else many
    return f"{format_decimal(number, locale=known)} {word}"


def size(octets: int, language: str) -> str:
    """ "850 B", "34 kB", "1,2 MB"; thousands, not 1024s (IEC 80000-13)."""
    if octets < 1000:
        return f"{octets} B"
    if octets < 999_500:
        return f"{octets / 1000:.0f} kB"
    return f"{format_decimal(octets / 1_000_000, format='0.0', locale=locale(language))} MB"


def money(amounts: str, language: str) -> str:
    """ "160.00 EUR" -> "160,00 €", "€160.00"; a sum such as "160.00 EUR + 20.00 USD" part by part.

    What names no currency of ISO 4217 stays as it is.
    """
    return " + ".join(_amount(amount, locale(language)) for amount in amounts.split(" + "))


def _amount(amount: str, known: Locale) -> str:
    number, _, code = amount.partition(" ")
    if code not in known.currencies:
        return amount
    # A plain space, as in durations: what people copy out of a mail is found again.
    return format_currency(Decimal(number), code, locale=known).replace("\N{NO-BREAK SPACE}", " ")


def quoted(text: str) -> str:
    """Every line marked as somebody else's words, as mail programs do (RFC 3676 section 4.5)."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def defused(text: str) -> str:
    """Text in which no line looks like a command, however a mail program may quote it.

    A technician's answer may hold a client's `#time 99m` below it without any mark.
    """
    return _COMMAND.sub(r"\1· ", "\n".join(text.splitlines()))
