"""The first rules of a desk: those that ship, with a few answers in them; comments and order stay."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomlkit

from mailgate import config, disk
from mailgate.core.commands.vocabulary import folded
from mailgate.core.settings import fields
from mailgate.core.settings.providers import PROVIDERS
from mailgate.errors import Refused

TO_FILL_IN = "…"
"""A client_id that nobody has said yet."""
_PEOPLE = ("[technicians.", "[clients.")


@dataclass(frozen=True, slots=True)
class Answers:
    """What is asked, as text; "" is nothing. incoming: "smtp" or "imap"; outgoing: "files" or "smtp".

    imap_login, smtp_login: of `providers.LOGINS`; imap_client_id, smtp_client_id: "" where it is to be filled in.
    """

    name: str
    address: str
    language: str
    director_name: str
    director_address: str
    technician_name: str
    technician_address: str
    client_name: str
    client_address: str
    country: str
    region: str
    timezone: str
    admin: str
    incoming: str
    imap_host: str
    imap_port: str
    imap_user: str
    imap_login: str
    imap_client_id: str
    outgoing: str
    smtp_host: str
    smtp_port: str
    smtp_user: str
    smtp_login: str
    smtp_client_id: str
    listen: str


def begin(path: Path, answers: Answers) -> list[tuple[str, str]]:
    """Write the rules; gives what secrets they need, "password" or "client secret", and the file of each beside them.

    Raises Refused where there are rules already, RulesError where these would be wrong: then nothing is written.
    """
    text = rules_text(shipped(), answers)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        draft.write_text(text, encoding="utf-8")
        config.load(draft)
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk.workshop(path.parent / ".mailgate-init") as work:
        draft = work / path.name
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o640)
        disk.owned_like(draft, path.parent)
        disk.sync(draft)
        try:
            os.link(draft, path)  # not replace: somebody may have written one meanwhile
        except FileExistsError:
            raise Refused(f"{path}: is there already and is kept; change it by hand") from None
    disk.sync(path.parent)
    named = re.findall(r'^(?!#).*?\b(password|client_secret)_file = "([^"]+)"', text, re.MULTILINE)
    return list(dict.fromkeys((what.replace("_", " "), file) for what, file in named))


def shipped() -> str:
    """The rules that ship: inside the installed package, or beside it in a checkout."""
    package = Path(str(files("mailgate")))
    inside = package / "rules.toml"
    return (inside if inside.is_file() else package.parent / "rules.toml").read_text(encoding="utf-8")


def rules_text(example: str, answers: Answers) -> str:
    """The text of `rules.toml`, from that of an example."""
    document = tomlkit.parse("\n\n".join(_paragraphs(example, answers)))
    rules: Any = document
    desk = {"name": answers.name, "address": answers.address, "admin": answers.admin, "director": _ids(answers)[0]}
    rules["desk"].update({**desk, "language": answers.language, "timezone": answers.timezone})
    rules["hours"]["holidays"].update({"country": answers.country, "region": answers.region, "closed": []})
    rules["smtp"]["listen"] = answers.listen
    if answers.incoming == "imap":
        tls = {"143": "none" if fields.loopback(answers.imap_host) else "starttls"}.get(answers.imap_port, "implicit")
        box = {"host": answers.imap_host, "port": int(answers.imap_port), "tls": tls, "user": answers.imap_user}
        rules["imap"][0].update(box)
    if answers.outgoing == "smtp":
        _set_outgoing(rules["outgoing"], answers)
    return tomlkit.dumps(document)


def _paragraphs(example: str, answers: Answers) -> Iterator[str]:
    """The example's, with this desk's people, and with what was a comment and is wanted now."""
    people = list(_people(answers))
    for paragraph in example.split("\n\n"):
        if paragraph.startswith(_PEOPLE):
            yield from people
            people = []
        elif paragraph.startswith("# [[imap]]") and answers.incoming == "imap":
            yield _let_in(_uncommented(paragraph), answers.imap_login, answers.imap_client_id)
        elif paragraph.startswith("[outgoing]") and answers.outgoing == "smtp":
            head, _, rest = paragraph.split("\n", 2)
            yield f"{head}\n{_let_in(_uncommented(rest), answers.smtp_login, answers.smtp_client_id)}"
        else:
            yield paragraph


def _uncommented(paragraph: str) -> str:
    """What was a comment, in force; but for keys that a desk which begins does without."""
    return re.sub(r"^# (?!(?:dkim|since) = )", "", paragraph, flags=re.MULTILINE)


def _let_in(paragraph: str, login: str, client_id: str) -> str:
    """The same, with oauth2 in the place of a password where that is how a server lets us in."""
    if login not in PROVIDERS:
        return paragraph
    secret = ', client_secret_file = "secrets/google"' if login == "google" else ""
    oauth2 = f"oauth2 = {{ provider = {_quoted(login)}, client_id = {_quoted(client_id or TO_FILL_IN)}{secret} }}"
    line = f"{oauth2}   # and mailgate login {login}"
    return re.sub(r"^password_file = .*$", lambda _: line, paragraph, flags=re.MULTILINE)


def _set_outgoing(outgoing: Any, answers: Answers) -> None:
    own = fields.loopback(answers.smtp_host)
    tls = {"465": "implicit", "25": "none" if own else "starttls"}.get(answers.smtp_port, "starttls")
    outgoing.update({"host": answers.smtp_host, "port": int(answers.smtp_port), "tls": tls})
    if answers.smtp_user:
        outgoing["user"] = answers.smtp_user
    else:
        del outgoing["user"], outgoing["password_file"]


def _people(answers: Answers) -> Iterator[str]:
    director, technician, client = _ids(answers)
    yield _person(f"technicians.{director}", answers.director_name, answers.director_address)
    if technician:
        yield _person(f"technicians.{technician}", answers.technician_name, answers.technician_address)
    if client:
        about = _person(f"clients.{client}", answers.client_name, answers.client_address)
        yield f'{about}\ntechnician = "{technician or director}"    # who usually works for them'
    yield "# The next client: mailgate client add ID ADDRESS"


def _person(table: str, name: str, address: str) -> str:
    return f"[{table}]\nname = {_quoted(name)}\naddresses = [{_quoted(address)}]"


def _ids(answers: Answers) -> tuple[str, str, str]:
    """Names for the rules: "Elena Ruiz" is elena, and elena-ruiz where there are two."""
    director, technician = _id(answers.director_name), _id(answers.technician_name)
    if technician == director:
        director, technician = _id(answers.director_name, whole=True), _id(answers.technician_name, whole=True)
    return director, f"{technician}-2" if technician == director else technician, _id(answers.client_name)


def _id(name: str, *, whole: bool = False) -> str:
    """The first word, or all, in letters that an id may have; "" for no name."""
    words = re.findall(r"[a-z0-9]+", folded(name)) or ["one"] * bool(name)
    return "-".join(words if whole else words[:1])[:60]


def _quoted(text: str) -> str:
    return tomlkit.string(text).as_string()
