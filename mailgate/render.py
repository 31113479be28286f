"""Templates and values -> mails. The words of all mails stand in templates/<language>/, one file each.

A template is plain text whose first line is its subject; its HTML is made from that text, or by the
.html file of the same name. A site's own files go before the packaged ones, one by one.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import UnknownLocaleError
from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    pass_context,
)
from jinja2.runtime import Context
from markupsafe import Markup

from mailgate.core.health import Trouble
from mailgate.core.mail import Notice, Outgoing, Part
from mailgate.core.model import Problem
from mailgate.core.settings.wording import did_you_mean
from mailgate.core.writing import phrases
from mailgate.core.writing.compose import compose
from mailgate.core.writing.page import from_text, pictures
from mailgate.errors import RulesProblem
from mailgate.samples import PROBLEMS, VALUES
from mailgate.templating import MailEnvironment

_ZONE = ZoneInfo("Europe/Madrid")  # of sample mails
_AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)  # when they are written
_NEVER = datetime(1, 1, 2, tzinfo=UTC)
LANGUAGE = "es"  # the last resort: the one language that has every template
SUBJECT_MOST = 300  # characters; longer ones are accidents, and old programs choke on them
HTML_MOST = 100_000  # bytes; Gmail hides what goes beyond 102 kB, the plain text it shows whole
REFERENCES_MOST = 20

_SUBJECT = "Subject: "
_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    UnknownLocaleError,
)


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What a mail needs beside its words: who sends it, by which address, when.

    reply_to: "" for none. sender: of the envelope, "" for the null path. message_id: without angle
    brackets. zone: of the desk, for all times that are told. ticket_tag: "SOP-12", "" for none.
    language: the desk's, for what has no templates in the recipient's.
    """

    desk_name: str
    desk_address: str
    reply_to: str
    sender: str
    message_id: str
    date: datetime
    zone: ZoneInfo
    ticket_tag: str = ""
    language: str = LANGUAGE


class Renderer:
    """Writes mails. `site`: a folder with an administrator's own templates, such as es/ack.txt.

    Templates are read once, when they are first used: a changed site is a new Renderer.
    """

    def __init__(self, site: Path | None = None) -> None:
        self._environment = MailEnvironment(
            loader=FileSystemLoader([folder for folder in (site, _packaged()) if folder]),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._environment.filters |= _FILTERS
        self._names = frozenset(self._environment.list_templates(["txt", "html"]))

    def write(self, notice: Notice, letterhead: Letterhead, parts: Sequence[Part] = ()) -> Outgoing:
        """The mail, ready to send; the same arguments give the same bytes."""
        sheet = self._sheet(notice, letterhead, parts)
        headers = list(_headers(notice, letterhead, sheet.subject))
        html = sheet.html if len(sheet.html.encode("utf-8", "replace")) <= HTML_MOST else None
        raw = compose(headers, sheet.text, html, parts)
        return Outgoing(notice, letterhead.message_id, sheet.subject, letterhead.sender, raw, sheet.text)

    def preview(self, notice: Notice, zone: ZoneInfo, desk_name: str, at: datetime = _NEVER) -> tuple[str, str]:
        """Text and HTML of a mail that is shown and not sent. at: what "today" in it is."""
        nowhere = Letterhead(desk_name, "", "", "", "", at, zone)
        sheet = self._sheet(notice, nowhere, ())
        return sheet.text, sheet.html

    def page(self, name: str, language: str, zone: ZoneInfo, now: datetime, values: Mapping[str, object]) -> str:
        """A page of the client area, of web/<name>.html, in the words of <language>/_web.txt."""
        _, known = self._choose("_web.txt", language)
        given = {**values, "language": known, "zone": zone, "today": now.astimezone(zone).date(), "now": now}
        return self._environment.get_template(f"web/{name}.html").render(given)

    def asset(self, name: str) -> bytes:
        """A file that belongs to the pages, such as their style sheet; the site's own before the packaged one."""
        loader = self._environment.loader
        assert loader is not None
        return loader.get_source(self._environment, f"web/{name}")[0].encode()

    def problem(self, problem: Problem, language: str) -> str:
        """What is wrong with a command and what would be right, in one line."""
        _, known = self._choose("_problems.txt", language)
        template = self._environment.get_template("_problem.txt")
        return template.render(language=known, problem=problem).strip()

    def trouble(self, trouble: Trouble, language: str, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
        """What is wrong with the machinery, and what to do; a line each."""
        _, known = self._choose("_troubles.txt", language)
        template = self._environment.get_template("_trouble.txt")
        values = {"language": known, "zone": zone, "today": now.astimezone(zone).date(), "trouble": trouble}
        what, _, todo = template.render(values).strip().partition("\n")
        return what, todo

    def warm_up(self, languages: Iterable[str]) -> None:
        """Make what nearly each mail needs, a tenth of a second's work, before the first one waits for it."""
        for language in languages:
            for name in ("ack", "notice"):
                self.preview(Notice(name, "", language, values=VALUES[name][0]), _ZONE, "", _AT)

    def check(self) -> list[RulesProblem]:
        """Everything that is wrong with the templates: each is written with sample values."""
        found = (fault for name in sorted(self._names) if (fault := self._fault(name)))
        return list(dict.fromkeys(found))  # what many include is wrong once

    def strays(self) -> list[RulesProblem]:
        """Templates beside the rules with names that no mail and no page has; what others include begins with "_"."""
        known = {_stem(name) for name in FileSystemLoader(_packaged()).list_templates()}
        stems = {name: _stem(name) for name in sorted(self._names) if "/_" not in f"/{name}"}
        return [
            RulesProblem(f"templates/{name}", 0, "", f'no mail is called "{stem}"{did_you_mean(stem, known)}')
            for name, stem in stems.items()
            if stem not in known
        ]

    def _sheet(self, notice: Notice, letterhead: Letterhead, parts: Sequence[Part]) -> _Sheet:
        template, language = self._choose(f"{notice.template}.txt", notice.language, letterhead.language)
        values: dict[str, object] = {"ticket_tag": letterhead.ticket_tag, **notice.values}
        values |= {"language": language, "zone": letterhead.zone, "desk_name": letterhead.desk_name}
        values["today"] = letterhead.date.astimezone(letterhead.zone).date()
        first, _, rest = template.render(values).partition("\n")
        if not first.startswith(_SUBJECT):
            raise TemplateError(f"the first line must be the subject, as in “{_SUBJECT}…”")
        subject = (notice.subject or first.removeprefix(_SUBJECT))[:SUBJECT_MOST]
        text = rest.strip("\n") + "\n"
        own = f"{language}/{notice.template}.html"
        page_template = self._environment.get_template(own if own in self._names else "layout.html")
        return _Sheet(subject, text, page_template.render(values | _page(subject, text, parts)))

    def _choose(self, file: str, *languages: str) -> tuple[Template, str]:
        """The template in the first of the languages that has it, and that language."""
        for language in (*languages, LANGUAGE):
            if (name := f"{language}/{file}") in self._names:
                return self._environment.get_template(name), language
        raise TemplateNotFound(file)

    def _fault(self, name: str) -> RulesProblem | None:
        try:
            self._try(name)
        except _FAULTS as error:
            return _located(name, error)
        return None

    def _try(self, name: str) -> None:
        """Compile one template, and write with it what there are samples for."""
        self._environment.get_template(name)
        language, _, file = name.rpartition("/")
        stem, _, ending = file.rpartition(".")
        for values in VALUES.get(stem, ()) if ending == "txt" else ():
            self.preview(Notice(stem, "", language, values=values), _ZONE, "Soporte", _AT)
        if file == "_problems.txt":
            for problem in PROBLEMS:
                self.problem(problem, language)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The words of one mail."""

    subject: str
    text: str
    html: str


def _stem(name: str) -> str:
    """What a mail is called: "ack" for es/ack.txt and en/ack.html."""
    return name.rpartition("/")[2].partition(".")[0]


def _packaged() -> Path:
    """templates/ inside the installed package, or beside it in a checkout."""
    package = Path(str(files("mailgate")))
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _page(subject: str, text: str, parts: Sequence[Part]) -> dict[str, str]:
    """The values of layout.html; core/writing/page.py has escaped them."""
    page = from_text(text)
    shown = {"body": page.body, "footer": page.footer, "below": page.below, "pictures": pictures(parts)}
    return {"subject_line": subject} | {name: Markup(html) for name, html in shown.items()}  # noqa: S704


def _located(name: str, error: Exception) -> RulesProblem:
    """The fault with its file and line: those of a macro where it lies there, not of who called it."""
    if isinstance(error, TemplateSyntaxError):
        return RulesProblem(error.filename or name, error.lineno, "", error.message or "cannot be read")
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith((".txt", ".html"))]
    file, line = (inside[-1].filename, inside[-1].lineno or 0) if inside else (name, 0)
    return RulesProblem(file, line, "", f"{error} ({type(error).__name__})")


def _headers(notice: Notice, letterhead: Letterhead, subject: str) -> Iterator[tuple[str, str]]:
    """The header fields of a mail (RFC 5322 section 3.6, RFC 3834 section 3.1)."""
    yield "From", f"{notice.author or letterhead.desk_name} <{letterhead.desk_address}>"
    yield "To", notice.to
    if letterhead.reply_to:
        yield "Reply-To", letterhead.reply_to
    yield "Subject", subject
    yield "Date", format_datetime(letterhead.date.astimezone(letterhead.zone))
    yield "Message-ID", f"<{letterhead.message_id}>"
    if notice.in_reply_to:
        yield "In-Reply-To", f"<{notice.in_reply_to}>"
    if references := _references(notice):
        yield "References", " ".join(f"<{reference}>" for reference in references)
    if notice.automatic:
        yield "Auto-Submitted", notice.automatic
    yield "X-Auto-Response-Suppress", "All" if notice.automatic else "OOF, AutoReply"
    yield "X-Mailgate-Loop", letterhead.desk_address


def _references(notice: Notice) -> list[str]:
    """The first and the latest of the thread, ending with what is answered (RFC 5322 section 3.6.4)."""
    latest = [notice.in_reply_to] if notice.in_reply_to else []
    known = [reference for reference in dict.fromkeys(notice.references) if reference not in latest]
    thread = known + latest
    return thread if len(thread) <= REFERENCES_MOST else [thread[0], *thread[1 - REFERENCES_MOST :]]


# ---- what templates can say ----------------------------------------------------------------------


def _local(context: Context, when: datetime) -> datetime:
    zone: ZoneInfo = context["zone"]
    return when.astimezone(zone)


def _local_day(context: Context, when: date) -> date:
    return _local(context, when).date() if isinstance(when, datetime) else when


@pass_context
def _day(context: Context, when: date) -> str:
    return phrases.day(_local_day(context, when), context["language"])


@pass_context
def _short_day(context: Context, when: date) -> str:
    return phrases.short_day(_local_day(context, when), context["language"])


@pass_context
def _day_of_any_year(context: Context, when: date) -> str:
    return phrases.day_of_any_year(when, context["language"])


@pass_context
def _weekday(context: Context, when: date) -> str:
    return phrases.weekday(_local_day(context, when), context["language"])


@pass_context
def _days_ahead(context: Context, when: date) -> int:
    today: date = context["today"]
    return (_local_day(context, when) - today).days


@pass_context
def _hour(context: Context, when: datetime) -> str:
    return phrases.hour(_local(context, when))


@pass_context
def _moment(context: Context, when: datetime) -> str:
    return phrases.moment(_local(context, when), context["language"])


@pass_context
def _count(context: Context, number: int, one: str, many: str) -> str:
    return phrases.count(number, one, many, context["language"])


@pass_context
def _size(context: Context, octets: int) -> str:
    return phrases.size(octets, context["language"])


@pass_context
def _money(context: Context, amount: str) -> str:
    return phrases.money(amount, context["language"])


_FILTERS: dict[str, Any] = {
    "duration": phrases.duration,
    "day": _day,
    "short_day": _short_day,
    "day_of_any_year": _day_of_any_year,
    "weekday": _weekday,
    "days_ahead": _days_ahead,
    "hour": _hour,
    "moment": _moment,
    "count": _count,
    "size": _size,
    "money": _money,
    "quoted": phrases.quoted,
    "defused": phrases.defused,
}
