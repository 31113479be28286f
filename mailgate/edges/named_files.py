"""The files that the rules name, passwords, keys and certificates: whether the daemon can do with them what it must."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mailgate import config
from mailgate.core.settings import locate
from mailgate.core.settings.faults import Fault
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.schema import Section
from mailgate.core.settings.servers import Dkim, Smtp
from mailgate.edges.dkim import Signer
from mailgate.errors import RulesError, RulesProblem

_CERTIFICATE = ("smtp", "tls_cert_file")


class Doubt(NamedTuple):
    """What is wrong with a file. grave: the daemon would not start with it."""

    fault: Fault
    grave: bool = True


def tls_context(settings: Smtp, base: Path) -> ssl.SSLContext | None:
    """What STARTTLS is done with, None where no certificate is named. Raises RulesError for files that do not serve.

    base: the folder of rules.toml.
    """
    if not settings.tls_cert_file:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    cert, key = config.named(settings.tls_cert_file, base), config.named(settings.tls_key_file, base)
    try:
        context.load_cert_chain(cert, key, password=b"")  # without it OpenSSL asks for one on the terminal
    except OSError as error:
        what = f"does not go with tls_key_file: {error.strerror or error}; both must be PEM, the key without a password"
        raise RulesError([RulesProblem(settings.tls_cert_file, 0, ".".join(_CERTIFICATE), what)]) from error
    return context


def doubts(rules: Rules, base: Path) -> Iterator[Doubt]:
    """Everything that is wrong with the files, in the order of the rules."""
    unread = set()
    for path, file in _named(rules, ()):
        try:
            content = config.named(file, base).read_bytes()
        except OSError as error:
            yield _unreadable(path, config.named(file, base), error)
            unread.add(path[:2])
        else:
            yield from _doubts(path, config.named(file, base), content)
    if unread.isdisjoint({_CERTIFICATE, ("smtp", "tls_key_file")}):
        yield from _misfits(rules.smtp, base)
    if rules.outgoing.dkim and ("outgoing", "dkim") not in unread:
        yield from _no_signing_key(rules.outgoing.dkim, base)


def _named(table: Section, path: locate.Path) -> Iterator[tuple[locate.Path, str]]:
    """Every key that names a file, whatever section it stands in, and the file as it is written."""
    for key, value in table:
        if key.endswith("_file") and value:
            yield (*path, key), value
        for step, section in _sections(value):
            yield from _named(section, (*path, key, *step))


def _sections(value: object) -> Iterable[tuple[locate.Path, Section]]:
    if isinstance(value, Section):
        return [((), value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    return [((step,), section) for step, section in inner if isinstance(section, Section)]


def _unreadable(path: locate.Path, file: Path, error: OSError) -> Doubt:
    if isinstance(
        error, FileNotFoundError
    ):  # rules are also checked where secrets have no place, before they are put up
        what = f"there is no file {file}; without it the daemon does not start: put it there, readable by nobody else"
        return Doubt(Fault(path, what), grave=False)
    if isinstance(error, PermissionError):
        what = f"{file} cannot be read by this user; the daemon must be able to, or be given it by LoadCredential="
        return Doubt(Fault(path, what), grave=False)
    return Doubt(Fault(path, f"{file} cannot be read: {error.strerror}; it must be a file"))


def _doubts(path: locate.Path, file: Path, content: bytes) -> Iterator[Doubt]:
    if not content.strip():
        yield Doubt(Fault(path, f"{file} is empty; write into it what it is for"))
    elif path != _CERTIFICATE and file.stat().st_mode & 0o007:
        what = f"others may use {file}, which only the daemon should; run: chmod o= {file}"
        yield Doubt(Fault(path, what), grave=False)


def _misfits(settings: Smtp, base: Path) -> Iterator[Doubt]:
    try:
        tls_context(settings, base)
    except RulesError as error:
        yield from (Doubt(Fault(_CERTIFICATE, problem.what)) for problem in error.problems)


def _no_signing_key(dkim: Dkim, base: Path) -> Iterator[Doubt]:
    try:
        Signer(dkim.domain, dkim.selector, config.named(dkim.key_file, base).read_bytes())
    except ValueError as error:
        yield Doubt(Fault(("outgoing", "dkim", "key_file"), str(error)))
