"""The mails that people get: every template in both languages, their headers, and how a site changes them."""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import html as lxml_html

from mailgate.core.commands.vocabulary import PROBLEMS, VERBS
from mailgate.core.mail import ALARMS, Notice, Part
from mailgate.core.model import Category, Kind, Priority, Problem, Role, Status
from mailgate.core.writing.phrases import duration
from mailgate.render import HTML_MOST, REFERENCES_MOST, SUBJECT_MOST, Letterhead, Renderer
from mailgate.samples import DOUBTS, VALUES

LANGUAGES = ("es", "en")
STAFF = (
    *("notice", "handed_over", "doubt", "unproven", "no_ticket", "held", "help_staff", "delivery_failed"),
    *("resumed", "refund_request", "dispute_asked", "dispute_words"),
    *("estimate_approved", "estimate_passed", "debit_held", "debit_released", "prospect_notice"),
    *("planned_for_you", "start_today", "overdue", "promise_soon", "promise_broken"),
    *("service_ended", "expired", "refund_decided", "account_closed", "dispute_decided"),  # as copies
)
RENDERER = Renderer()
LETTERHEAD = Letterhead(
    desk_name="Soporte Técnico",
    desk_address="soporte@example.es",
    reply_to="soporte+12.abcdefghij@example.es",
    sender="soporte+12.abcdefghij@example.es",
    message_id="j17.0.abc.mailgate@example.es",
    date=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    zone=ZoneInfo("Europe/Madrid"),
    ticket_tag="SOP-12",
)
ANSWER = Notice(
    "answer",
    "ana@acme.example",
    "es",
    ticket=12,
    values=VALUES["answer"][0],
    subject="Re: El formulario no envía",
    author="Marta Gil",
    automatic="",
    in_reply_to="two@acme.example",
    references=("one@acme.example", "two@acme.example"),
)


LONG = "mail.department.organisation.example/department.of.web.support@organisation.example/Support/In"
ALARM_SAMPLES = [
    pytest.param(language, name, values, id=f"{language}-{name}-{number}")
    for language in LANGUAGES
    for name in (*ALARMS, "mail_left")
    for number, values in enumerate(VALUES[name])
]


def of_a_long_name(values: Mapping[str, Any]) -> dict[str, Any]:
    """The sample, of a mailbox or a login whose name is long."""
    if (trouble := values.get("trouble")) and trouble.about:
        return {**values, "trouble": replace(trouble, about=LONG)}
    return {**values, **({"about": LONG} if values.get("about") else {})}


@pytest.mark.parametrize(("language", "name", "values"), ALARM_SAMPLES)
def test_subject_of_an_alarm_fits_into_a_list_of_mails(language: str, name: str, values: Mapping[str, Any]) -> None:
    subject = RENDERER.write(Notice(name, "a@b.es", language, values=of_a_long_name(values)), LETTERHEAD).subject
    assert len(subject) <= 78
    assert not subject.endswith(".")


EVERY_MAIL = [
    pytest.param(language, name, values, id=f"{language}-{name}-{number}")
    for language in LANGUAGES
    for name, samples in VALUES.items()
    for number, values in enumerate(samples)
]


def read(notice: Notice, parts: tuple[Part, ...] = (), renderer: Renderer = RENDERER) -> EmailMessage:
    return message_from_bytes(renderer.write(notice, LETTERHEAD, parts).raw, policy=policy.default)


def text_of(name: str, language: str = "es", **changes: Any) -> str:
    notice = Notice(name, "ana@acme.example", language, values={**VALUES[name][0], **changes})
    return RENDERER.write(notice, LETTERHEAD).text


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


# ---- all templates -------------------------------------------------------------------------------


@pytest.mark.slow
def test_packaged_templates_have_no_fault() -> None:
    assert RENDERER.check() == []


def test_both_languages_have_the_same_templates() -> None:
    folder = Path(__file__).resolve().parents[1] / "templates"
    spanish, english = ({path.name for path in (folder / language).iterdir()} for language in LANGUAGES)
    assert spanish == english
    assert {name.removesuffix(".txt") for name in spanish if re.fullmatch(r"[a-z]\w*\.txt", name)} == set(VALUES)


@pytest.mark.parametrize(("language", "name", "values"), EVERY_MAIL)
def test_mail_is_written_in_text_and_in_html_that_says_the_same(language: str, name: str, values: Any) -> None:
    out = RENDERER.write(Notice(name, "ana@acme.example", language, values=values), LETTERHEAD)
    mail = message_from_bytes(out.raw, policy=policy.default)
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") + "\n" == out.text
    assert mail["Subject"] == out.subject
    assert not re.search(r"\n{4}|[^\S\n]\n|\{[{%#]|None|Undefined|StrEnum", out.text.replace("-- \n", ""))
    shown = " ".join(lxml_html.fromstring(html_of(mail)).text_content().split())
    for number in re.findall(r"SOP-\d+|\d+ h \d+ min|\d+ min", out.text):
        assert number in shown


@pytest.mark.parametrize(("language", "name", "values"), EVERY_MAIL)
def test_html_needs_nothing_from_outside_and_sets_no_colour_of_text(language: str, name: str, values: Any) -> None:
    page = html_of(read(Notice(name, "ana@acme.example", language, values=values)))
    assert not re.search(r"(?:src|background)=|url\(|<script|<link|@import|(?<![-\w])color:", page)
    assert "background" not in page.split("<body")[1].split(">")[0]
    assert f'<html lang="{language}">' in page
    assert len(page) < HTML_MOST


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", STAFF)
@pytest.mark.parametrize("width", [20, 40, 60, 72, 78])
def test_no_line_to_staff_begins_with_a_command_however_it_is_wrapped(name: str, language: str, width: int) -> None:
    for values in VALUES[name]:
        text = RENDERER.write(Notice(name, "marta@example.es", language, values=values), LETTERHEAD).text
        for line in text.split("\n"):
            for piece in textwrap.wrap(line, width) or [""]:
                assert not re.match(r"[\s>|]*[#＃]\w", piece), (line, piece)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_has_words(language: str) -> None:
    for code in (*PROBLEMS, *DOUBTS):
        words = RENDERER.problem(Problem(code, "12x", "720"), language)
        assert words
        assert "\n" not in words
        assert not words.startswith(f"{code}:")


def test_problem_without_words_still_says_what_it_knows() -> None:
    assert RENDERER.problem(Problem("brand_new", "12x", "12m"), "es") == "brand_new: «12x». Lo correcto: «12m»."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_the_desk_has_a_word(language: str) -> None:
    template, _ = RENDERER._choose("_words.txt", language)
    words: Any = template.make_module({"language": language})
    for macro, values in (
        ("status", Status),
        ("priority", Priority),
        ("category", Category),
        ("kind", Kind),
        ("role", Role),
    ):
        for value in values:
            assert getattr(words, macro)(value).strip()
    for verb in VERBS:
        assert words.effect(verb.name).strip()


# ---- what they say -------------------------------------------------------------------------------


def test_acknowledgement_says_ticket_and_balance_and_nothing_of_the_mail() -> None:
    text = text_of("ack", subject="Mi contraseña es tigre99", balance=75)
    assert "SOP-12" in text
    assert "1 h 15 min" in text
    assert "tigre99" not in text


# LETTERHEAD is written on Monday, 2 November 2026, at 10:30 in Madrid.
DAY_WORDS = [
    ("2026-11-02 13:30", "hoy antes de las 14:30", "today before 14:30"),
    ("2026-11-02 00:15", "hoy antes de la 01:15", "today before 01:15"),
    ("2026-11-03 10:00", "mañana antes de las 11:00", "tomorrow before 11:00"),
    ("2026-11-06 12:59", "el viernes antes de las 13:59", "on Friday before 13:59"),
    ("2026-10-30 13:30", "el viernes, 30 de octubre de 2026, antes de las 14:30", "on Friday, 30 October 2026, before 14:30"),  # noqa: E501
    ("2026-11-08 23:30", "el lunes, 9 de noviembre de 2026, antes de las 00:30", "on Monday, 9 November 2026, before 00:30"),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(("due", "spanish", "english"), DAY_WORDS)
def test_acknowledgement_says_until_when_the_answer_comes_in_words_of_today(
    due: str, spanish: str, english: str
) -> None:
    due_at = datetime.fromisoformat(f"{due}+00:00")
    assert f"le responderemos {spanish}.\n" in text_of("ack", due_at=due_at)
    assert f"we will answer {english}.\n" in text_of("ack", "en", due_at=due_at)


def test_acknowledgement_out_of_hours_says_when_the_desk_is_back_and_why_it_is_closed() -> None:
    back = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    closed = {"open_now": False, "back_at": back, "due_at": back + timedelta(hours=4)}
    assert "horario; volvemos mañana a las 10:00 y le responderemos antes de las 14:00.\n" in text_of("ack", **closed)
    later = {**closed, "due_at": back + timedelta(days=2), "closed_for": "Navidad"}
    assert "(festivo: Navidad); volvemos mañana a las 10:00 y le responderemos el jueves" in text_of("ack", **later)
    assert "we are back tomorrow at 10:00 and will answer before 14:00.\n" in text_of("ack", "en", **closed)
    assert "we are back tomorrow at 10:00.\n" in text_of("ack", "en", **{**closed, "due_at": None})


def test_technician_reads_until_when_the_answer_is_promised() -> None:
    ticket = VALUES["notice"][0]["ticket"]
    due = datetime(2026, 11, 2, 13, 30, tzinfo=UTC)
    quick = replace(ticket, answer_due_at=due, quick_due_at=due - timedelta(hours=3))
    assert "Respuesta prometida: hoy antes de las 14:30 (si es algo rápido, antes de las 11:30)\n" in text_of(
        "notice", ticket=quick
    )
    assert "Answer promised: today before 14:30\n" in text_of("notice", "en", ticket=replace(quick, quick_due_at=None))
    none = replace(ticket, answer_due_at=None, quick_due_at=None)
    assert "prometida" not in text_of("notice", ticket=none)


def test_answer_has_a_footer_with_ticket_times_and_balance() -> None:
    text = text_of("answer", minutes=12, free=0, ticket_minutes=37, balance=-5, quote="")
    body, _, footer = text.partition("\n-- \n")
    assert body.strip().endswith("Marta")
    assert "SOP-12" in footer
    assert all(duration(minutes) in footer for minutes in (12, 37, -5))


def test_answer_quotes_the_client_below_an_attribution() -> None:
    text = text_of("answer", quote="Hola:\n\nno va", quote_author="Ana Prieto")
    assert text.endswith(
        "\n\nEl lunes, 2 de noviembre de 2026 a las 10:15, Ana Prieto escribió:\n> Hola:\n>\n> no va\n"
    )


def test_notice_shows_the_clients_command_as_text() -> None:
    text = text_of("notice", text="Hola\n#time 99m\n> ＃nota")
    assert "> Hola\n> · #time 99m\n> > · ＃nota" in text


def test_refusal_names_each_wrong_line_and_holds_the_text() -> None:
    wrong = (
        ("#tiem 12m", Problem("unknown_near", "#tiem", "#time")),
        ("#time 0", Problem("duration_zero", "0", "1m")),
    )
    text = text_of("problems", problems=wrong, text="Hola, Ana:\n\n#tiem 12m\n#time 0")
    assert "«#tiem 12m»\n  «#tiem» no es un comando. ¿Querías decir «#time»?" in text
    assert "«#time 0»" in text
    assert text.endswith("\nHola, Ana:\n\n#tiem 12m\n#time 0\n")


def test_refused_text_stands_letter_by_letter_in_html_too() -> None:
    text = "Así:\n\n```\n  #time { }\n```\n<b>#tiem 12m</b>"
    wrong = (("<b>#tiem 12m</b>", Problem("unknown_near", "<b>", "#time")),)
    notice = Notice(
        "problems", "marta@example.es", "es", values={"problems": wrong, "text": text, "ticket_tag": "", "files": ()}
    )
    page = lxml_html.fromstring(html_of(read(notice)).replace("\r\n", "\n"))
    assert text in page.text_content()
    assert "«<b>» no es un comando" in page.text_content()


def test_what_people_write_is_escaped_in_html() -> None:
    evil = "<img src=x onerror=alert(1)>"
    report = {
        **VALUES["report"][0],
        "client_name": evil,
        "entries": [{**VALUES["report"][0]["entries"][1], "note": evil}],
    }
    for notice in (
        replace(ANSWER, values={**ANSWER.values, "body": evil}, subject=evil),
        Notice("report", "ana@acme.example", "es", values=report),
    ):
        assert "<img" not in html_of(read(notice))
        assert "&lt;img" in html_of(read(notice))


def test_template_code_in_a_value_is_text() -> None:
    assert "{{ 7*7 }}{% raw %}" in text_of("answer", body="{{ 7*7 }}{% raw %}")


# ---- headers -------------------------------------------------------------------------------------


def test_answer_comes_from_the_technician_at_the_desks_address_and_into_the_thread() -> None:
    mail = read(ANSWER)
    assert mail["From"] == "Marta Gil <soporte@example.es>"
    assert mail["To"] == "ana@acme.example"
    assert mail["Reply-To"] == "soporte+12.abcdefghij@example.es"
    assert mail["Subject"] == "Re: El formulario no envía"
    assert mail["Date"] == "Mon, 02 Nov 2026 10:30:00 +0100"
    assert mail["Message-ID"] == "<j17.0.abc.mailgate@example.es>"
    assert mail["In-Reply-To"] == "<two@acme.example>"
    assert mail["References"] == "<one@acme.example> <two@acme.example>"
    assert mail["Auto-Submitted"] is None
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["X-Mailgate-Loop"] == "soporte@example.es"


def test_automatic_mail_says_so_and_comes_from_the_desk() -> None:
    mail = read(Notice("ack", "ana@acme.example", "es", values=VALUES["ack"][0]))
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["From"].addresses[0].display_name == "Soporte Técnico"
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None


def test_no_reply_address_no_field() -> None:
    out = RENDERER.write(ANSWER, replace(LETTERHEAD, reply_to="", sender=""))
    assert b"Reply-To: soporte" not in out.raw
    assert out.sender == ""


@pytest.mark.parametrize("count", [REFERENCES_MOST, REFERENCES_MOST + 1, 500])
def test_references_keep_the_first_and_the_latest(count: int) -> None:
    ids = tuple(f"{number}@acme.example" for number in range(count))
    written = read(replace(ANSWER, references=ids, in_reply_to=ids[-1]))["References"].split()
    assert written == [f"<{i}>" for i in (ids[0], *ids[1 - REFERENCES_MOST :])]


def test_what_is_answered_comes_last_once() -> None:
    mail = read(replace(ANSWER, references=("b@x.example", "a@x.example", "a@x.example"), in_reply_to="b@x.example"))
    assert mail["References"] == "<a@x.example> <b@x.example>"


@pytest.mark.parametrize(("length", "kept"), [(SUBJECT_MOST, SUBJECT_MOST), (SUBJECT_MOST + 1, SUBJECT_MOST)])
def test_endless_subject_is_cut(length: int, kept: int) -> None:
    assert read(replace(ANSWER, subject="x" * length))["Subject"] == "x" * kept


def test_hostile_subject_author_and_body_add_no_header() -> None:
    evil = "x\r\nBcc: victim@example.es\r\n\r\n"
    mail = read(replace(ANSWER, subject=evil, author=evil, values={**ANSWER.values, "body": f"Subject: {evil}"}))
    assert "Bcc" not in mail
    assert mail["Subject"] == "x Bcc: victim@example.es"
    assert [box.addr_spec for box in mail["From"].addresses] == ["soporte@example.es"]


# ---- parts ---------------------------------------------------------------------------------------


def test_inline_picture_is_shown_and_file_attached() -> None:
    picture = Part("captura.png", "image/png", b"\x89PNG", content_id="ii_1", inline=True)
    mail = read(ANSWER, (picture, Part("a.zip", "application/zip", b"PK")))
    assert 'src="cid:ii_1"' in html_of(mail)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["a.zip"]


def test_same_arguments_give_the_same_bytes() -> None:
    assert RENDERER.write(ANSWER, LETTERHEAD).raw == Renderer().write(ANSWER, LETTERHEAD).raw


def test_mail_too_long_for_html_goes_as_text_alone() -> None:
    empty = len(html_of(read(replace(ANSWER, values={**ANSWER.values, "body": "x"}))).replace("\r\n", "\n").encode())
    room = HTML_MOST - empty - 10
    for length, has_html in ((room, True), (HTML_MOST, False)):
        mail = read(replace(ANSWER, values={**ANSWER.values, "body": "x" * length}))
        assert (mail.get_body(("html",)) is not None) is has_html
        assert "x" * length in mail.get_body(("plain",)).get_content()


# ---- languages and sites -------------------------------------------------------------------------


def test_unknown_language_falls_back_to_the_desks() -> None:
    ack = Notice("ack", "ana@acme.example", "fr", values=VALUES["ack"][0])
    assert "Your balance" in RENDERER.write(ack, replace(LETTERHEAD, language="en")).text
    assert "Su saldo" in RENDERER.write(ack, replace(LETTERHEAD, language="de")).text


def site(folder: Path, name: str, source: str) -> Renderer:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(source, encoding="utf-8")
    return Renderer(folder)


@pytest.mark.slow
def test_site_overrides_one_template_and_keeps_the_others(tmp_path: Path) -> None:
    own = site(tmp_path, "es/ack.txt", "Subject: Recibido\n\nEs el {{ ticket_tag }}.\n")
    assert own.check() == []
    ack = Notice("ack", "ana@acme.example", "es", values=VALUES["ack"][0])
    assert own.write(ack, LETTERHEAD).text == "Es el SOP-12.\n"
    assert own.write(ack, LETTERHEAD).subject == "Recibido"
    assert own.write(ANSWER, LETTERHEAD).raw == RENDERER.write(ANSWER, LETTERHEAD).raw


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("Subject: x\n\n{{ ticket_tag\n", 3, "end of print statement"),
        ("Subject: x\n\n{{ ticket_tga }}\n", 3, "'ticket_tga' is undefined"),
        ("Subject: x\n\n{{ balance|durration }}\n", 3, "No filter named 'durration'"),
        ("Subject: x\n\n\n{{ subject.__class__.__mro__ }}\n", 4, "unsafe"),
        ("Subject: x\n{{ 1 / 0 }}\n", 2, "division by zero"),
        ("{{ subject }}\n", 0, "the first line must be the subject"),
    ],
)
def test_fault_in_a_template_names_file_line_and_what(tmp_path: Path, source: str, line: int, what: str) -> None:
    (fault,) = site(tmp_path, "es/ack.txt", source).check()
    assert fault.file.endswith("es/ack.txt")
    assert fault.line == line
    assert what in fault.what


@pytest.mark.slow
def test_fault_in_a_macro_is_named_where_it_lies(tmp_path: Path) -> None:
    own = site(tmp_path, "es/_problems.txt", "{% macro problem(problem) %}\n{{ problem.cde }}\n{% endmacro %}\n")
    faults = own.check()
    assert {fault.file for fault in faults} == {str(tmp_path / "es/_problems.txt")}
    assert {fault.line for fault in faults} == {2}


def test_site_may_bring_a_language_of_its_own(tmp_path: Path) -> None:
    own = site(tmp_path, "fr/ack.txt", "Subject: Reçu\n\nReçu {{ back_at|day }}.\n")
    values = {**VALUES["ack"][0], "back_at": LETTERHEAD.date}
    text = own.write(Notice("ack", "ana@acme.example", "fr", values=values), LETTERHEAD).text
    assert text == "Reçu lundi 2 novembre 2026.\n"


def test_preview_shows_what_would_be_sent() -> None:
    text, page = RENDERER.preview(ANSWER, LETTERHEAD.zone, LETTERHEAD.desk_name)
    assert text == RENDERER.write(ANSWER, LETTERHEAD).text
    assert "<blockquote" in page


def test_imported_words_are_those_of_the_mail_at_hand() -> None:
    renderer = Renderer()
    when = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    notice = Notice("ack", "ana@acme.example", "es", values={**VALUES["ack"][0], "open_now": False, "back_at": when})
    madrid = renderer.write(notice, LETTERHEAD).text
    tokyo = renderer.write(notice, replace(LETTERHEAD, zone=ZoneInfo("Asia/Tokyo"))).text
    english = renderer.write(replace(notice, language="en"), LETTERHEAD).text
    assert ("00:30" in madrid, "08:30" in tokyo, "00:30" in english) == (True, True, True)
    assert renderer.write(notice, LETTERHEAD).text == madrid


def test_words_of_a_site_that_read_a_value_are_made_for_each_mail(tmp_path: Path) -> None:
    (tmp_path / "es").mkdir()
    (tmp_path / "es/_sign.txt").write_text("{% set of = client_name %}{% macro sign() %}{{ of }}{% endmacro %}")
    (tmp_path / "es/ack.txt").write_text('{% from "es/_sign.txt" import sign with context %}Subject: s\n{{ sign() }}\n')
    renderer = Renderer(tmp_path)
    for name in ("Acme", "Beta"):
        notice = Notice("ack", "ana@acme.example", "es", values={**VALUES["ack"][0], "client_name": name})
        assert renderer.write(notice, LETTERHEAD).text == f"{name}\n"
