"""The pages' words: every one in every language, and none that no page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from mailgate.core.model import Category, Kind, Priority, Status

TEMPLATES = Path(__file__).parents[3] / "templates"


def words(language: str) -> dict[str, Any]:
    environment = Environment(loader=FileSystemLoader(TEMPLATES))
    found: dict[str, Any] = environment.get_template(f"{language}/_web.txt").make_module().words  # type: ignore[attr-defined]
    return found


def flat(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    spanish, english = dict(flat(words("es"))), dict(flat(words("en")))
    assert spanish.keys() == english.keys()
    for key, text in spanish.items():
        gaps = [re.findall(r"%0?\d?[sd]", one) for one in (text, english[key])]
        assert gaps[0] == gaps[1], key


def test_every_state_has_its_word() -> None:
    spanish = words("es")
    for name, kinds in (("statuses", Status), ("priorities", Priority), ("categories", Category), ("kinds", Kind)):
        assert {kind.value for kind in kinds} == set(spanish[name]), name


def test_no_word_is_said_nowhere() -> None:
    pages = "".join(path.read_text() for path in (TEMPLATES / "web").glob("*.html"))
    by_code = ("menus", "statuses", "statuses_staff", "priorities", "categories", "kinds", "states")
    by_code = (*by_code, "ball", "done", "problems", "board")
    for key, _ in flat(words("es")):
        head = key.partition(".")[0]
        said = head if head in by_code else key
        assert f"words.{said}" in pages, key
