"""The words of the desk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.commands import vocabulary
from mailgate.core.commands.arguments import READERS
from mailgate.core.commands.vocabulary import PROBLEMS, VERBS, folded
from mailgate.core.model import Category, Priority, Status

COMMANDS = Path(vocabulary.__file__).parent
SOURCES = [*COMMANDS.glob("*.py"), *(COMMANDS.parent / "stages").glob("*.py")]

# ---- folding


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Categoría", "categoria"),
        ("Categori\u0301a", "categoria"),
        ("AÑO", "ano"),
        ("＃Time\u00a012m", "#time 12m"),
        ("\ufeff#ti\u200bme", "#time"),
        ("\u200e\u202a#close\u202c", "#close"),
        ("１２", "１２"),
    ],
)
def test_folding_leaves_what_a_reader_would_say_aloud(text: str, result: str) -> None:
    assert folded(text) == result


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


# ---- commands


def test_names_are_folded_and_belong_to_one_command() -> None:
    names = [name for verb in VERBS for name in (verb.name, verb.spanish)]
    assert len(names) == len(set(names))
    assert all(name == folded(name) and name.isalpha() for name in names)


def test_every_command_has_a_reader_and_no_other() -> None:
    assert set(READERS) == {verb.name for verb in VERBS}


@pytest.mark.parametrize(("word", "name"), [("Sí", "yes"), ("CATEGORÍA", "category"), ("cortesía", "free")])
def test_a_command_is_found_in_both_languages_whatever_its_case_and_accents(word: str, name: str) -> None:
    found = vocabulary.verb(word)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("tme", "time"),
        ("tmie", "time"),
        ("times", "time"),
        ("Tiempos", "tiempo"),
        ("timpo", "tiempo"),
        ("colse", "close"),
        ("closed", "close"),
        ("solved", "close"),
        ("resuelto", "cerrar"),
        ("estdao", "estado"),
        ("prioirdda", "prioridad"),
        ("spend", "time"),
        ("horas", "tiempo"),
        ("pending", "status waiting"),
        ("asigna", "asignar"),
    ],
)
def test_a_slip_or_another_tools_word_finds_what_was_meant(word: str, meant: str) -> None:
    assert vocabulary.nearest(word) == meant


@pytest.mark.parametrize(
    "words",
    [
        "header footer main menu nav page logo sidebar container root app top wrapper content modal search",
        "include define undef ifdef endif else elif pragma import region error item title type list form",
        "fff ok id se is yse wordpress prestashop seguridad factura urgencias ana marta",
    ],
)
def test_names_of_pages_code_and_hashtags_are_near_no_command(words: str) -> None:
    assert [word for word in words.split() if vocabulary.nearest(word)] == []


def test_two_letters_off_is_near_only_for_names_of_six_letters_or_more() -> None:
    assert vocabulary.nearest("clsoed") is None
    assert vocabulary.nearest("sttaus") == "status"
    assert vocabulary.nearest("sttuas") == "status"
    assert vocabulary.nearest("xttuas") is None


def test_what_only_the_director_may_use_is_proposed_to_nobody_else() -> None:
    assert vocabulary.nearest("aceptra", director=True) == "aceptar"
    assert vocabulary.nearest("aceptra") is None
    assert vocabulary.nearest("estimra", director=True) == vocabulary.nearest("estimra") == "estimar"


# ---- values


@pytest.mark.parametrize("words", [vocabulary.STATUSES, vocabulary.PRIORITIES, vocabulary.CATEGORIES])
def test_each_word_of_either_language_stands_for_one_value(words: tuple[vocabulary.Word, ...]) -> None:
    for word in words:
        for name in word.english + word.spanish:
            assert vocabulary.meaning(words, name.upper()) is word.value


def test_all_statuses_priorities_and_categories_have_words() -> None:
    assert [word.value for word in vocabulary.STATUSES] == list(Status)
    assert [word.value for word in vocabulary.PRIORITIES] == list(Priority)
    assert [word.value for word in vocabulary.CATEGORIES] == list(Category)


# ---- problems


def test_the_list_of_problems_is_what_the_readers_and_stages_say() -> None:
    """Codes made from a command's name, as in "status_unknown", are written out in the list only."""
    sources = "".join(path.read_text() for path in SOURCES if path.name != "vocabulary.py")
    said = set(re.findall(r'"((?:[a-z]+_)*[a-z]+)"', sources))
    said |= {f"{name}_unknown" for name in ("status", "priority", "category")}
    assert set(PROBLEMS) - said == set()
    assert len(PROBLEMS) == len(set(PROBLEMS))
