"""Reads `rules.toml` and what it includes; the only place that opens these files, or secrets."""

from __future__ import annotations

import functools
import json
import os
import re
import tomllib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailgate.core.settings import locate
from mailgate.core.settings.checks import build
from mailgate.core.settings.faults import Fault, spoken
from mailgate.core.settings.merge import Merged, merge
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.schema import Section
from mailgate.errors import RulesError, RulesProblem

_LONGEST_SECRET = 65_536
_AS_THEY_ARE: Mapping[Path, str] = {}


@dataclass(frozen=True)
class _Source:
    """One file. name: as problems call it, relative to the folder of rules.toml."""

    name: str
    text: str
    data: dict[str, Any]

    @functools.cached_property
    def lines(self) -> dict[locate.Path, int]:
        return locate.index(self.text)

    def line(self, path: locate.Path) -> int:
        return locate.nearest(self.lines, path)


def load(path: Path, instead: Mapping[Path, str] = _AS_THEY_ARE) -> Rules:
    """The rules in force if this file is taken up; RulesError with every problem if it cannot be.

    instead: what some files would say, to try a change before it is made. A file that is not there
    yet is read after the others.
    """
    return read(path, instead)[0]


def read(path: Path, instead: Mapping[Path, str] = _AS_THEY_ARE) -> tuple[Rules, str]:
    """The same with what the files say, merged, as JSON: `build` makes the rules of it again."""
    sources = _sources(path, instead)
    try:
        merged = merge([source.data for source in sources])
    except RecursionError:
        raise _unreadable(path.name, 0, "has too many tables within tables") from None
    built = build(merged.data)
    problems = [*_clashes(merged, sources)]
    if isinstance(built, list):
        problems += (_problem(fault, merged, sources) for fault in built)
    if problems or isinstance(built, list):
        order = {source.name: number for number, source in enumerate(sources)}
        raise RulesError(sorted(problems, key=lambda problem: (order[problem.file], problem.line)))
    return built, json.dumps(merged.data, ensure_ascii=False, default=str)


def problems(path: Path, faults: Iterable[Fault]) -> list[RulesProblem]:
    """What else is wrong with rules that can be taken up, told with file and line as what stands in them."""
    sources = _sources(path, _AS_THEY_ARE)
    merged = merge([source.data for source in sources])
    return [_problem(fault, merged, sources) for fault in faults]


def _problem(fault: Fault, merged: Merged, sources: list[_Source]) -> RulesProblem:
    file, place = merged.origin(fault.path)
    what = fault.what
    if fault.other is not None:
        what += f" ({_place(merged, sources, fault.other)})"
    return RulesProblem(sources[file].name, sources[file].line(place), spoken(fault.path, merged.data), what)


def _place(merged: Merged, sources: list[_Source], path: locate.Path) -> str:
    """Where a key stands, as `rules.toml:97`."""
    file, place = merged.origin(path)
    return f"{sources[file].name}:{sources[file].line(place)}"


def _clashes(merged: Merged, sources: list[_Source]) -> Iterator[RulesProblem]:
    for (file, place), path in merged.clashes:
        what = f"is already set ({_place(merged, sources, path)}); take one of them out"
        yield RulesProblem(sources[file].name, sources[file].line(place), spoken(path, merged.data), what)


def files(path: Path) -> list[Path]:
    """rules.toml first, then what it includes."""
    return [path, *_included(path, _read(path, path.name))]


def _sources(path: Path, instead: Mapping[Path, str]) -> list[_Source]:
    """rules.toml first, then what it includes, in order of name within a pattern."""
    main = _read(path, path.name, instead)
    sources, problems = [main], []
    for file in dict.fromkeys((*_included(path, main), *(file for file in instead if file != path))):
        try:
            sources.append(_read(file, os.path.relpath(file, path.parent), instead))
        except RulesError as error:
            problems += error.problems
    if problems:
        raise RulesError(problems)
    return sources


def _included(path: Path, main: _Source) -> list[Path]:
    files: dict[Path, None] = {}
    for pattern in _patterns(main.data):
        found = _matching(path, pattern)
        if not found and not (set("*?[") & set(pattern)):
            what = f'there is no file "{pattern}" beside {path.name}; a path or pattern is relative to it'
            raise RulesError([RulesProblem(main.name, main.line(("include",)), "include", what)])
        files |= dict.fromkeys(found)
    return list(files)


def _matching(path: Path, pattern: str) -> list[Path]:
    try:
        return sorted(file for file in path.parent.glob(pattern) if file != path)
    except (ValueError, NotImplementedError):  # an empty pattern, an absolute one
        return []


def _patterns(data: dict[str, Any]) -> list[str]:
    """The patterns of `include`; what is no text is refused later, with the rest."""
    written = data.get("include", [])
    patterns = [written] if isinstance(written, str) else written
    return [one for one in patterns if isinstance(one, str)] if isinstance(patterns, list) else []


def _read(path: Path, name: str, instead: Mapping[Path, str] = _AS_THEY_ARE) -> _Source:
    if path in instead:
        return _Source(name, instead[path], _parsed(instead[path], name))
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _unreadable(name, 0, "there is no such file; name the right one with --rules") from None
    except OSError as error:
        raise _unreadable(name, 0, f"cannot be read: {error.strerror}") from None
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _unreadable(name, 1, "begins with a byte order mark; save it as UTF-8 without BOM")
    try:
        text = raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(name, line, "is not UTF-8 here (Latin-1?); save the file as UTF-8") from None
    return _Source(name, text, _parsed(text, name))


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _unreadable(name, 0, "has too many brackets within brackets") from None
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at line ([0-9]+), column ([0-9]+)\)", str(error), re.DOTALL)
        if found is None:
            what = f"is not TOML: {str(error).removesuffix(' (at end of document)')}; the file ends too early"
            raise _unreadable(name, text.count("\n") + 1, what) from None
        what = found[1].replace("', '", ".").replace("('", "[").replace("',)", "]").replace("')", "]")
        raise _unreadable(name, int(found[2]), f"is not TOML at column {found[3]}: {what}") from None
    except ValueError:  # what int() says to thousands of digits
        raise _unreadable(name, 0, "has a number that is too long") from None


def _unreadable(name: str, line: int, what: str) -> RulesError:
    return RulesError([RulesProblem(name, line, "", what)])


def stamp(path: Path) -> Hashable:
    """A value that changes when rules.toml or a file that it includes does; for polling, cheap."""
    main = _state(path)
    files = [file for pattern in _includes(path, main) for file in _matching(path, pattern)]
    return (main, *((str(file), _state(file)) for file in files))


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@functools.lru_cache(maxsize=8)
def _includes(path: Path, state: Hashable) -> tuple[str, ...]:
    """The patterns that a state of the file has; none while it cannot be read."""
    try:
        return tuple(_patterns(_read(path, path.name).data))
    except RulesError:
        return ()


def secret(settings: Section, base: Path, name: str = "password") -> str | None:
    """What `password_file` or `password_env` of some settings leads to; None if neither is set.

    base: the folder of rules.toml, see `named`.
    """
    variable, file = str(getattr(settings, f"{name}_env", "")), str(getattr(settings, f"{name}_file"))
    if variable:
        if variable not in os.environ:
            raise _unreadable(f"${variable}", 0, f"{name}_env names it, but it is not in the environment")
        return os.environ[variable]
    if not file:
        return None
    try:
        with named(file, base).open(encoding="utf-8") as opened:
            return opened.read(_LONGEST_SECRET).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, 0, f"{name}_file names it, but it cannot be read: {error}") from None


def named(file: str, base: Path) -> Path:
    """Where a file is that the rules name: its path counts from their folder, `base`.

    A systemd credential with the file's name goes before it (LoadCredential=imap: for `"secrets/imap"`).
    """
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(given or ".") / Path(file).name
    return credential if given and credential.is_file() else base / file
