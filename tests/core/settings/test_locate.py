"""The lines of keys, held against what tomllib reads."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.core.settings.locate import index, locate
from tests.support import in_linear_time

TEXT = '''\
include = ["a.toml"]  # [no.header]

[desk]
name = "a # b = [c]"
address . "x" = 1
hours = { mon = "10:00", holidays = { closed = [
  "2026-12-24",   # one, two ]
  "2026-12-25" ] } }
long = """
[not.a.header]
key = 1 ""
"""
after = 'its'

[clients."acme.es"]
addresses = [
  "ana@acme.example",

  "b@acme.example",
]
[[rules]]
name = "one"
[rules.match]
any = ["x"]
[[rules]]
name = "two"
set = { priority = "urgnt" }
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("include", 0), 1),
        (("desk",), 3),
        (("desk", "name"), 4),
        (("desk", "address", "x"), 5),
        (("desk", "hours", "mon"), 6),
        (("desk", "hours", "holidays", "closed", 0), 7),
        (("desk", "hours", "holidays", "closed", 1), 8),
        (("desk", "long"), 9),
        (("desk", "after"), 13),
        (("clients", "acme.es"), 15),
        (("clients", "acme.es", "addresses", 1), 19),
        (("rules", 0, "match", "any"), 24),
        (("rules", 1, "name"), 26),
        (("rules", 1, "set", "priority"), 27),
    ],
)
def test_a_key_is_found_on_its_line(path, line):
    tomllib.loads(TEXT)
    assert locate(TEXT, path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("desk", "tag"), 3),
        (("rules", 1, "set", "assign"), 27),
        (("rules", 0, "name", "x"), 22),
        (("nothing", "here"), 1),
    ],
)
def test_a_missing_key_is_where_it_would_stand(path, line):
    assert locate(TEXT, path) == line


def paths(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, data
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        yield from paths(value, (*path, step))


class Writer:
    """Writes random documents in which every value is a number of its own."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.count = 1000

    def document(self) -> str:
        lines = [*self.body()]
        for _ in range(self.draw(st.integers(0, 3))):
            lines += [*self.space(), f"[{self.key()}.{self.key()}]{self.comment()}", *self.body()]
        name = self.key()
        for _ in range(self.draw(st.integers(0, 2))):
            lines += [f"[[ {name} ]]", *self.body(), f"[{name}.{self.key()}]", *self.body()]
            lines += [f"[[{name}.{self.key()}]]", *self.body()]
        return "\n".join(lines)

    def body(self) -> Iterator[str]:
        for _ in range(self.draw(st.integers(0, 3))):
            yield from self.space()
            name = self.key() if self.draw(st.booleans()) else f"{self.key()} . {self.key()}"
            yield f"{name} = {self.value(3)}{self.comment()}"

    def space(self) -> list[str]:
        return self.draw(st.sampled_from([[], [""], ["# a = [ {"], ["  \t"]]))

    def comment(self) -> str:
        return self.draw(st.sampled_from(["", " # \" ''' ] }"]))

    def key(self) -> str:
        self.count += 1
        return self.draw(st.sampled_from(["k{}", '"k {}"', "'k.{}='", '"k\\u00e1\\"{}"', "{}"])).format(self.count)

    def value(self, depth: int) -> str:
        self.count += 1
        kinds = 7 if depth else 5
        kind = self.draw(st.integers(0, kinds - 1))
        if kind == 5:
            items = [self.value(depth - 1) for _ in range(self.draw(st.integers(0, 3)))]
            between = self.draw(st.sampled_from([",", " , ", ",\n", "\n,# ,]\n"]))
            return "[" + between.join(items) + "]"
        if kind == 6:
            items = [f"{self.key()} = {self.value(depth - 1)}" for _ in range(self.draw(st.integers(0, 3)))]
            return "{" + ", ".join(items) + "}"
        return (
            str(self.count),
            f'"{self.count} \\" [,]}}"',
            f"'{self.count} # \" ='",
            f'"""{self.count}\n[a]\n\\""" "" """""',
            f"'''{self.count}\n'' b = 1 ''''",
        )[kind]


@pytest.mark.slow
@given(st.data())
@settings(max_examples=200)
def test_every_key_that_tomllib_reads_is_found_on_the_line_of_its_value(data):
    text = Writer(data).document()
    read = dict(paths(tomllib.loads(text)))
    lines = index(text)
    assert lines.keys() == read.keys()
    written = text.split("\n")
    for path, value in read.items():
        if not isinstance(value, dict | list):
            number = str(value).split("\n")[0].split(" ")[0]
            assert number in written[lines[path] - 1]


@pytest.mark.slow
def test_many_lines_take_one_pass():
    text = "".join(f'[clients.c{n}]\nname = "C"\naddresses = ["a{n}@x.es", "b{n}@x.es"]\n' for n in range(10_000))
    with in_linear_time():
        lines = index(text)
    assert lines[("clients", "c9999", "addresses", 1)] == 30_000


def test_deep_nesting_needs_no_recursion():
    text = "a = " + "[" * 3000 + "]" * 3000
    assert locate(text, ("a", 0, 0)) == 1
