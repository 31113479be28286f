"""Every value of every template, text, HTML and header: what stands in it is text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailgate.core.mail import Notice, Part
from mailgate.render import _FAULTS, Letterhead, Renderer
from mailgate.samples import VALUES
from tests.hostile import canary

pytestmark = pytest.mark.slow

RENDERER = Renderer()
LETTERHEAD = Letterhead(
    desk_name="Soporte Técnico",
    desk_address="soporte@example.es",
    reply_to="soporte+12.abcdefghij@example.es",
    sender="soporte+b12.abcdefghij@example.es",
    message_id="j17.0.abc.mailgate@example.es",
    date=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    zone=ZoneInfo("Europe/Madrid"),
    ticket_tag="SOP-12",
)
# What people outside have a hand in, by the names that it has in templates.
OUTSIDERS = {
    *("subject", "text", "body", "quote", "quote_author", "person_name", "person_address", "sender", "files"),
    *("note", "error", "requester", "author", "request", "words", "got", "address", "before", "shown"),
}

Trail = tuple[str | int, ...]


def strings(value: Any, trail: Trail = ()) -> Iterator[Trail]:
    """Where in a value there are strings that could be others."""
    if isinstance(value, str):
        if value and not isinstance(value, Enum):
            yield trail
        return
    for key, inner in _inside(value):
        yield from strings(inner, (*trail, key))


def _inside(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, tuple | list):
        return list(enumerate(value))
    if is_dataclass(value) and not isinstance(value, type):
        return [(one.name, getattr(value, one.name)) for one in fields(value)]
    return []


def changed(value: Any, trail: Trail, new: str) -> Any:
    """The value with another string at one place."""
    if not trail:
        return new
    here, *rest = trail
    if isinstance(value, Mapping):
        return {**value, str(here): changed(value[str(here)], tuple(rest), new)}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{str(here): changed(getattr(value, str(here)), tuple(rest), new)})
    return type(value)(changed(inner, tuple(rest), new) if at == here else inner for at, inner in enumerate(value))


def named(trail: Trail) -> str:
    return next((step for step in reversed(trail) if isinstance(step, str)), "")


def written(name: str, language: str, values: Mapping[str, Any], evil: str = "") -> bytes:
    notice = Notice(name, "ana@acme.example", language, ticket=12, values=values, subject=evil, author=evil)
    return RENDERER.write(notice, LETTERHEAD).raw


@lru_cache
def words_of_others(name: str) -> list[list[Trail]]:
    """For each sample of a template, where it takes any words; elsewhere only codes that choose some."""
    return [[trail for trail in strings(values) if takes_any(name, values, trail)] for values in VALUES[name]]


def takes_any(name: str, values: Mapping[str, Any], trail: Trail) -> bool:
    try:
        written(name, "es", changed(values, trail, "?"))
    except _FAULTS:
        assert named(trail) not in OUTSIDERS, trail
        return False
    return True


@pytest.mark.parametrize("evil", canary.LINES.values(), ids=canary.LINES)
@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("name", VALUES)
def test_whatever_stands_in_a_value_is_text(name: str, language: str, evil: str) -> None:
    for values, trails in zip(VALUES[name], words_of_others(name), strict=True):
        everywhere: Any = values
        for trail in trails:
            everywhere = changed(everywhere, trail, evil)
        mail = canary.read(written(name, language, everywhere))
        assert mail["To"] == "ana@acme.example"


@pytest.mark.parametrize("evil", canary.LINES.values(), ids=canary.LINES)
def test_whatever_stands_in_subject_author_thread_or_file_is_text(evil: str) -> None:
    notice = Notice(
        "answer",
        "ana@acme.example",
        "es",
        ticket=12,
        values=VALUES["answer"][0],
        subject=evil,
        author=evil,
        in_reply_to=evil,
        references=(evil, f"{evil}@x"),
    )
    picture = Part(evil, "image/png", b"\x89PNG", content_id=evil, inline=True)
    parts = (picture, Part(evil, evil, b"x", content_id=evil), Part(evil, "message/rfc822", b"x"))
    mail = canary.read(RENDERER.write(notice, LETTERHEAD, parts).raw)
    assert [box.addr_spec for box in mail["From"].addresses] == ["soporte@example.es"]
    assert len(list(mail.iter_attachments())) == 2
