"""Writes a client's addresses into the admin's own rules; whatever else stands there stays, to the letter."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import operator
import os
import stat
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mailgate import config, disk
from mailgate.core.settings import locate
from mailgate.core.settings.rules import Rules
from mailgate.errors import MailgateError, Refused

_KEYS = ("name", "addresses", "contact", "technician", "language")  # in the order of the documentation
_FOLDER = "clients.d"  # an included folder of this name takes a file for each new client


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What was done. file: where the client stands, seen from the folder of rules.toml. added: as written there."""

    client: str
    file: str
    new: bool
    added: tuple[str, ...]


def enrol(
    path: Path, client: str, addresses: Sequence[str], about: Mapping[str, str], file: Path | None = None
) -> Enrolled:
    """Let these addresses write for a client, who may be new.

    path: of rules.toml. about: other keys of a new client's table. file: where to write a new client,
    None for the usual place. Refused where an address is somebody else's, RulesError where the rules
    would be wrong with it, MailgateError where the file cannot be written; nothing is changed then.
    """
    config.load(path)  # a path that leads nowhere is told before it is locked
    with _alone(path.parent):
        rules = config.load(path)
        fresh = _fresh(rules, client, addresses)
        new = client not in rules.clients
        place = _place_for(path, client, file) if new else _place_of(path, client)
        if not new:
            _refuse_changes(rules, client, about, file, place)
        if fresh:
            page = _Page.of(place)
            given = {"name": client, "addresses": fresh, **about}
            table = {key: given[key] for key in _KEYS if key in given}
            text = page.with_client(client, table) if new else page.with_addresses(client, fresh)
            config.load(path, {place: text})
            _replace(page, text, like=path)
    return Enrolled(client, os.path.relpath(place, path.parent), new, tuple(fresh))


def _fresh(rules: Rules, client: str, addresses: Sequence[str]) -> list[str]:
    """The addresses that the client does not have yet. Whether they are right is for the rules to say."""
    owners = dict.fromkeys(rules.desks, "the desk")
    for id_, technician in rules.technicians.items():
        owners |= dict.fromkeys(technician.addresses, f"technician {id_}")
    for id_, known in rules.clients.items():
        owners |= dict.fromkeys(known.addresses, f"client {id_}")
    fresh: dict[str, str] = {}
    for address in addresses:
        owner = owners.get(address.lower())
        if owner is None:
            fresh.setdefault(address.lower(), address)
        elif owner != f"client {client}":
            raise Refused(f"{address}: belongs to {owner} already")
    return list(fresh.values())


def _refuse_changes(rules: Rules, client: str, about: Mapping[str, str], file: Path | None, place: Path) -> None:
    """A client who is there gets addresses and nothing else; to say what is so already does no harm."""
    for key, value in about.items():
        if getattr(rules.clients[client], key) != value:
            raise Refused(f"{client}: is a client already; change its {key} in {place}")
    if file is not None and file.resolve() != place.resolve():
        raise Refused(f"{client}: is a client already, in {place}")


# ---- in which file -------------------------------------------------------------------------------


def _place_of(path: Path, client: str) -> Path:
    """The file with the addresses of a client of the rules."""
    tables = ((file, _Page.of(file).data().get("clients", {})) for file in config.files(path))
    return next(file for file, clients in tables if "addresses" in clients.get(client, {}))


def _place_for(path: Path, client: str, wanted: Path | None) -> Path:
    """The file for a new client: the one that is wanted, else its own where there is a folder for such."""
    included = _Page.of(path).data().get("include", [])
    patterns = [PurePath(pattern) for pattern in ([included] if isinstance(included, str) else included)]
    if wanted is None:
        own = (pattern for pattern in patterns if pattern.parent.name == _FOLDER and pattern.name == "*.toml")
        # An ID that would lead elsewhere is no ID; so will the rules say.
        return next((path.parent / pattern.with_name(f"{client}.toml") for pattern in own if "/" not in client), path)
    for file in config.files(path):
        if file.resolve() == wanted.resolve():
            return file
    within = PurePath(os.path.relpath(wanted.resolve(), path.parent.resolve()))
    if not any(pattern.parent == within.parent and within.match(pattern.name) for pattern in patterns):
        raise Refused(f"{wanted}: is no file of the rules; name it in the include of {path.name} first")
    return path.parent / within


# ---- what stands in it ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """A file. raw: None for one that is not there yet. text: line ends are "\\n" unless they are mixed."""

    file: Path
    raw: bytes | None
    windows: bool
    text: str

    @classmethod
    def of(cls, file: Path) -> _Page:
        raw = file.read_bytes() if file.exists() else None
        text = (raw or b"").decode()
        windows = 0 < text.count("\n") == text.count("\r\n")
        return cls(file, raw, windows, text.replace("\r\n", "\n") if windows else text)

    def data(self) -> dict[str, Any]:
        """What the text says; the rules were loaded, so it is TOML."""
        return tomllib.loads(self.text)

    def encoded(self, text: str) -> bytes:
        """A new text of the file with the line ends that it has."""
        return (text.replace("\n", "\r\n") if self.windows else text).encode()

    def with_addresses(self, client: str, addresses: Sequence[str]) -> str:
        """The text with more addresses for a client of this file.

        Only the statement that sets them goes through tomlkit, which would move tables of one name together.
        """
        path = ("clients", client, "addresses")
        meant = self.data()
        meant["clients"][client]["addresses"].extend(addresses)
        lines, rows = locate.index(self.text), self.text.split("\n")
        start = lines[path]
        others = (line for other, line in lines.items() if line > start and other[:3] != path)
        end = min(others, default=len(rows) + 1)
        statement = ""
        with contextlib.suppress(TOMLKitError, LookupError):
            document = tomlkit.parse("\n".join(rows[start - 1 : end - 1]))
            _value(document, path).extend(addresses)
            statement = tomlkit.dumps(document)
        return self._surely("\n".join((*rows[: start - 1], statement, *rows[end - 1 :])), meant, client)

    def with_client(self, client: str, table: Mapping[str, Any]) -> str:
        """The text with a client more after the last one, a blank line before and after it."""
        meant = self.data()
        meant.setdefault("clients", {})[client] = dict(table)
        rows = self.text.split("\n")
        place = _end_of_clients(locate.index(self.text), rows)
        before, after = "\n".join(rows[:place]).rstrip("\n"), "\n".join(rows[place:])
        clients = tomlkit.table(is_super_table=True)
        clients.append(client, dict(table))
        written = tomlkit.dumps({"clients": clients}).strip("\n")
        gap = "\n" if after and not after.startswith("\n") else ""
        text = f"{before}\n\n{written}\n{gap}{after}".removeprefix("\n\n")
        return self._surely(text, meant, client)

    def _surely(self, text: str, meant: Mapping[str, Any], client: str) -> str:
        """The text if it says what is meant, all of it and nothing else."""
        with contextlib.suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(text) == meant:
                return text
        raise Refused(f"{self.file}: is written in a way that cannot be added to; write {client} there by hand")


def _value(statement: Any, path: tuple[str, ...]) -> Any:
    """The value at the end of a path that may have begun above the statement: in a header, or in a key."""
    for start in range(len(path)):
        if path[start] in statement:
            return functools.reduce(operator.getitem, path[start:], statement)
    raise KeyError(path)


def _end_of_clients(lines: Mapping[locate.Path, int], rows: Sequence[str]) -> int:
    """How many rows stand before the place of a new client: after the last one, at the end for the first.

    Comments before the next table are that table's, but for those right below the client's last row.
    """
    last = max((line for path, line in lines.items() if path[:1] == ("clients",)), default=len(rows))
    end = min((line for line in lines.values() if line > last), default=len(rows) + 1) - 1
    if end == len(rows):
        return end
    kept = end
    while rows[kept - 1].lstrip()[:1] in ("", "#"):
        kept -= 1
    below = kept
    while below < end and rows[below].strip():
        below += 1
    return below if below < end else kept


# ---- how it is written ---------------------------------------------------------------------------


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One call at a time, so that none of two at once undoes what the other wrote."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(page: _Page, text: str, like: Path) -> None:
    """Put a text in the place of a page, whole or not at all. like: whose mode and owner a new file gets."""
    target = page.file.resolve()
    try:
        target.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(".new", f".{target.name}.", target.parent)
        draft = Path(name)
        try:
            _fill(handle, page.encoded(text), (like if page.raw is None else target).stat())
            if page.raw != _Page.of(target).raw:
                raise MailgateError(f"{page.file}: was changed at this very moment; try again")
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        disk.sync(target.parent)
    except OSError as error:
        raise MailgateError(f"{page.file}: cannot be written: {error.strerror or error}") from None


def _fill(handle: int, content: bytes, like: os.stat_result) -> None:
    """Write a draft to the disk, with the owner and the mode of another file."""
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        made = os.fstat(handle)
        if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
            os.fchown(handle, like.st_uid, like.st_gid)
        os.fchmod(handle, stat.S_IMODE(like.st_mode))
        os.fsync(handle)
