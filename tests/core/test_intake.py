"""The way of one message, decided without any I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailgate.core.facts import Held
from mailgate.core.intake import decide
from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.model import Kind, Outcome, Role, Status
from tests.support import NOW, debit, desk, from_marta, known, mail, plan, reply_address, templates, ticket

# ---- who -----------------------------------------------------------------------------------------


def test_stranger_is_quarantined_and_hears_nothing():
    decided = plan(mail(sender="x@evil.example"))
    assert decided.outcome is Outcome.QUARANTINE
    assert decided.notices == ()
    assert "evil.example" in decided.reason


def test_stranger_is_turned_away_where_the_rules_say_so():
    decided = plan(mail(sender="x@evil.example"), at=desk(desk={"strangers": "reject"}))
    assert decided.outcome is Outcome.REJECT
    assert decided.notices == ()


def test_two_senders_are_nobody():
    decided = plan(mail(headers="From: marta@example.es\n"))
    assert decided.outcome is Outcome.QUARANTINE
    assert decided.role is Role.STRANGER


def test_reply_to_is_no_identity():
    decided = plan(mail(sender="x@evil.example", headers="Reply-To: ana@acme.example\n"))
    assert decided.outcome is Outcome.QUARANTINE


def test_repeat_changes_nothing():
    decided = plan(mail(), known(repeat_of="message 3"))
    assert decided.outcome is Outcome.REPEAT
    assert decided.notices == decided.entries == ()


@pytest.mark.parametrize(
    ("message", "role"),
    [
        (mail(), Role.CLIENT),
        (from_marta("Listo.\n\n#time 12m"), Role.TECHNICIAN),
        (mail(sender="x@y.example"), Role.STRANGER),
    ],
)
def test_repeat_is_of_who_sent_it_and_shows_no_access_data(message, role):
    told = replace(message, text=f"clave: Xk9!zz26\n\n{message.text}", ahead=None)
    decided = plan(told, known(ticket(), repeat_of="message 3"))
    assert (decided.outcome, decided.role, decided.entries, decided.notices) == (Outcome.REPEAT, role, (), ())
    assert "Xk9" not in decided.mail.text


def test_technician_without_their_own_token_does_nothing_and_is_told():
    message = from_marta("Listo.\n\n#time 12m", to="soporte@example.es")
    decided = plan(message, known(ticket()))
    assert decided.outcome is Outcome.QUARANTINE
    assert decided.entries == ()
    assert [(notice.template, notice.to) for notice in decided.notices] == [("unproven", "marta@example.es")]
    assert "Listo." in str(decided.notices[0].values["text"])


def test_token_of_another_technician_is_no_proof():
    message = from_marta("Listo.\n\n#time 12m", to=reply_address(12, "elena@example.es"))
    facts = known(ticket(), addressees={12: frozenset({"elena@example.es"})})
    assert plan(message, facts).outcome is Outcome.QUARANTINE


def test_second_registered_address_of_a_technician_may_use_their_reply_address():
    at = desk(technicians={"marta": {"name": "Marta", "addresses": ["marta@example.es", "marta@casa.example"]}})
    message = from_marta("Listo.\n\n#time 12m", sender="marta@casa.example")
    assert plan(message, known(ticket()), at).authenticated


def test_technician_is_believed_when_the_rules_ask_for_no_proof():
    message = from_marta("Listo.\n\n#time 12m", to="soporte@example.es")
    decided = plan(message, known(ticket()), desk(trust={"technicians": "off"}))
    assert decided.authenticated
    assert [entry.minutes for entry in decided.entries] == [-12]


def test_message_of_this_machines_own_user_is_trusted():
    message = from_marta("Listo.\n\n#time 12m", to="soporte@example.es")
    assert plan(message, known(ticket()), vouched=True).outcome is Outcome.APPEND


# ---- where ---------------------------------------------------------------------------------------


def test_new_mail_of_a_client_opens_a_ticket():
    decided = plan(mail())
    assert decided.outcome is Outcome.OPEN
    assert decided.changed is not None
    assert (decided.changed.client, decided.changed.technician) == ("acme", "marta")
    assert templates(decided) == ["ack", "notice"]


@pytest.mark.parametrize(
    "pointing",
    [
        {"to": reply_address(12, "ana@acme.example")},
        {"to": reply_address(12, "ana@acme.example").upper()},
        {"headers": "In-Reply-To: <m1@acme.example>\n"},
        {"headers": "References: <m1@acme.example> <unknown@x.example>\n"},
        {"subject": "Re: [SOP-12] El carrito"},
        {"subject": "Re: [sop-12 Acme] El carrito"},
    ],
    ids=["reply-address", "reply-address-in-capitals", "in-reply-to", "references", "tag", "tag-with-name"],
)
def test_reply_of_a_client_finds_its_ticket(pointing: dict[str, str]):
    decided = plan(mail("Sigue igual.", **pointing), known(ticket(status=Status.WAITING)))
    assert decided.outcome is Outcome.APPEND
    assert decided.changed is not None
    assert decided.changed.status is Status.OPEN
    assert templates(decided) == ["notice"]


def test_reply_to_an_address_made_for_a_colleague_reaches_the_ticket():
    message = mail("Soy Luis.", sender="luis@tienda.example", to=reply_address(12, "ana@acme.example"))
    assert plan(message, known(ticket())).outcome is Outcome.APPEND


def test_client_who_points_at_a_ticket_of_another_opens_their_own():
    message = mail(
        sender="hello@beta.example", subject="[SOP-12] El carrito", headers="In-Reply-To: <m1@acme.example>\n"
    )
    decided = plan(message, known(ticket()))
    assert decided.outcome is Outcome.OPEN
    assert decided.changed is not None
    assert (decided.changed.id, decided.changed.client) == (13, "beta")


def test_stranger_with_the_right_tag_and_token_gets_nothing_of_the_ticket():
    message = mail(sender="x@evil.example", subject="[SOP-12]", to=reply_address(12, "ana@acme.example"))
    decided = plan(message, known(ticket()))
    assert (decided.outcome, decided.changed) == (Outcome.QUARANTINE, None)
    assert [(notice.template, notice.to) for notice in decided.notices] == [("guest_waits", "marta@example.es")]


def test_closed_ticket_is_reopened_within_the_window():
    closed = ticket(status=Status.CLOSED, closed_at=NOW - timedelta(days=15))
    decided = plan(mail("Otra vez.", headers="In-Reply-To: <m1@acme.example>\n"), known(closed))
    assert decided.outcome is Outcome.APPEND
    assert decided.changed is not None
    assert (decided.changed.status, decided.changed.closed_at) == (Status.OPEN, None)


def test_ticket_closed_too_long_ago_is_followed_by_a_new_one():
    closed = ticket(status=Status.CLOSED, closed_at=NOW - timedelta(days=16))
    decided = plan(mail("Otra vez.", headers="In-Reply-To: <m1@acme.example>\n"), known(closed))
    assert decided.outcome is Outcome.OPEN
    assert decided.changed is not None
    assert (decided.changed.id, decided.changed.follows) == (13, 12)
    assert decided.notices[0].values["follows_tag"] == "SOP-12"


# ---- automatic mail ------------------------------------------------------------------------------


def test_automatic_mail_is_kept_with_its_ticket_reopens_nothing_and_is_never_answered():
    headers = "Auto-Submitted: auto-replied\nIn-Reply-To: <m1@acme.example>\n"
    decided = plan(mail("Estoy fuera.", headers=headers), known(ticket(status=Status.CLOSED, closed_at=NOW)))
    assert decided.outcome is Outcome.APPEND
    assert decided.changed is None
    assert decided.notices == ()


def test_automatic_mail_of_a_technician_runs_no_command_and_is_an_internal_note():
    decided = plan(from_marta("Fuera.\n#time 12m", headers="Auto-Submitted: auto-replied\n"), known(ticket()))
    assert decided.outcome is Outcome.APPEND
    assert decided.internal
    assert decided.entries == ()
    assert [(notice.template, notice.to) for notice in decided.notices] == [("maybe_away", "elena@example.es")]


def test_bounce_lands_on_the_ticket_that_its_mail_was_of():
    message = mail(
        "No such user",
        sender="MAILER-DAEMON@mx.example",
        to=reply_address(12, "ana@acme.example"),
        headers="Auto-Submitted: auto-replied\n",
    )
    decided = plan(message, known(ticket()))
    assert (decided.outcome, decided.role, decided.internal) == (Outcome.APPEND, Role.ROBOT, True)


def test_automatic_mail_of_a_stranger_is_kept_in_silence():
    decided = plan(mail(sender="noreply@shop.example", headers="Precedence: bulk\n"))
    assert decided.outcome is Outcome.KEEP
    assert decided.notices == ()


# ---- questions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("subject", "text"), [("Saldo", ""), ("Hola", "¿saldo?\n\nAna"), ("balance", "x")])
def test_question_is_answered_and_opens_no_ticket(subject: str, text: str):
    decided = plan(mail(text, subject=subject))
    assert decided.outcome is Outcome.ANSWER
    assert templates(decided) == ["balance"]
    assert decided.ticket is None


@pytest.mark.parametrize("subject", ["Ayuda", "Informe", "saldo"])
def test_request_under_the_subject_of_a_question_is_answered_and_not_lost(subject: str):
    text = "Hola, desde ayer no podemos cobrar con tarjeta en la tienda y los clientes se quejan mucho, es urgente."
    decided = plan(mail(text, subject=subject))
    assert decided.outcome is Outcome.OPEN
    assert templates(decided)[1:] == ["ack", "notice"]


def test_period_that_cannot_be_read_is_told_with_the_report():
    decided = plan(mail("", subject="informe 2026-13"))
    assert decided.notices[0].values["problem"].code == "period_unreadable"  # type: ignore[attr-defined]


def test_technician_gets_help_wherever_they_ask():
    decided = plan(from_marta("", to="soporte@example.es", subject="ayuda"))
    assert [(notice.template, notice.to) for notice in decided.notices] == [("help_staff", "marta@example.es")]


def test_question_of_a_stranger_is_not_answered():
    assert plan(mail("", subject="saldo", sender="x@evil.example")).notices == ()


# ---- commands ------------------------------------------------------------------------------------


def test_answer_goes_to_the_client_without_its_commands_and_with_what_it_cost():
    decided = plan(from_marta("Listo, Ana.\n\n#time 12m caché"), known(ticket(minutes=30)))
    (answer,) = decided.notices
    assert (answer.template, answer.to, answer.author) == ("answer", "ana@acme.example", "Marta Gil")
    assert answer.values["body"] == "Listo, Ana."
    assert (answer.values["minutes"], answer.values["ticket_minutes"], answer.values["balance"]) == (
        12,
        42,
        228,
    )
    assert (answer.in_reply_to, answer.references) == (
        "m1@acme.example",
        ("m0@acme.example", "m1@acme.example"),
    )
    assert answer.subject == "Re: El carrito"
    (entry,) = decided.entries
    assert (entry.kind, entry.minutes, entry.note, entry.technician) == (Kind.DEBIT, -12, "caché", "marta")
    assert decided.changed is not None
    assert (decided.changed.status, decided.changed.first_answer_at) == (Status.WAITING, NOW)


def test_clients_subject_gets_the_tag_where_the_rules_say_so():
    decided = plan(from_marta("Listo."), known(ticket()), desk(desk={"tag_client_subject": True}))
    assert decided.notices[0].subject == "Re: [SOP-12] El carrito"


def test_clients_message_is_not_quoted_where_the_rules_say_so():
    decided = plan(from_marta("Listo."), known(ticket()), desk(desk={"quote_client": False}))
    assert decided.notices[0].values["quote"] == ""


def test_one_wrong_line_applies_nothing_and_hands_the_text_back():
    decided = plan(from_marta("Listo, Ana.\n\n#time 12m\n#time 0"), known(ticket()))
    assert decided.outcome is Outcome.REJECT
    assert decided.entries == ()
    (notice,) = decided.notices
    assert (notice.template, notice.to) == ("problems", "marta@example.es")
    assert "Listo, Ana." in str(notice.values["text"])
    assert decided.filed_in is None


def test_mail_of_only_commands_sends_the_client_nothing():
    decided = plan(from_marta("#time 12m\n#close"), known(ticket()))
    assert decided.notices == ()
    assert decided.changed is not None
    assert (decided.changed.status, decided.changed.closed_at) == (Status.CLOSED, NOW)
    assert [entry.minutes for entry in decided.entries] == [-12]


def test_note_stays_inside():
    decided = plan(from_marta("Ojo con este cliente.\n#note\n#time 3m"), known(ticket()))
    assert decided.internal
    assert decided.notices == ()
    assert decided.changed is not None
    assert decided.changed.status is Status.NEW


def test_commands_change_the_ticket():
    decided = plan(
        from_marta("#prioridad alta\n#categoria seguridad\n#asignar elena\n#estado cerrado"), known(ticket())
    )
    assert decided.changed is not None
    assert (decided.changed.priority, decided.changed.category) == ("high", "security")
    assert (decided.changed.technician, decided.changed.status) == ("elena", Status.CLOSED)
    assert [(notice.template, notice.to) for notice in decided.notices] == [("handed_over", "elena@example.es")]


def test_one_mail_books_a_day_on_several_tickets():
    others = known(ticket(), ticket(13, client="beta", requester="hello@beta.example"))
    decided = plan(from_marta("#time 12m\n#time SOP-13 20m\n#free 5m"), others)
    assert [(e.ticket, e.client, e.kind, e.minutes) for e in decided.entries] == [
        (12, "acme", Kind.DEBIT, -12),
        (13, "beta", Kind.DEBIT, -20),
        (12, "acme", Kind.COURTESY, 0),
    ]
    assert len({entry.line for entry in decided.entries}) == 3


def test_ticket_that_does_not_exist_is_a_wrong_line():
    decided = plan(from_marta("#time SOP-99 12m"), known(ticket()))
    assert decided.script.problems[0].problem.code == "no_such_ticket"  # type: ignore[union-attr]


def test_command_in_a_clients_mail_is_text():
    decided = plan(mail("#time 10m\n#cerrar", headers="In-Reply-To: <m1@acme.example>\n"), known(ticket()))
    assert decided.entries == ()
    assert decided.changed is not None
    assert decided.changed.status is Status.NEW
    assert "#time 10m" in decided.text


@pytest.mark.parametrize(
    ("overdraft", "minutes"),
    [("allow", [-30]), ("cap", [-10]), ("refuse", [])],
    ids=["allow", "cap", "refuse"],
)
def test_debit_past_the_balance(overdraft: str, minutes: list[int]):
    decided = plan(from_marta("#time 30m"), known(ticket(), balances={"acme": 10}), desk(time={"overdraft": overdraft}))
    assert [entry.minutes for entry in decided.entries] == minutes
    assert decided.outcome is (Outcome.APPEND if minutes else Outcome.REJECT)


def test_several_debits_share_what_is_left():
    at = desk(time={"overdraft": "cap"})
    decided = plan(from_marta("#time 8m a\n#time 8m b"), known(ticket(), balances={"acme": 10}), at)
    assert [(entry.minutes, entry.worked) for entry in decided.entries] == [(-8, 8), (-2, 8)]


def test_debit_may_use_what_a_void_in_the_same_mail_gives_back():
    facts = known(ticket(), entries={9: debit(9, 10)}, balances={"acme": 0})
    decided = plan(from_marta("#void 9 mal\n#time 8m bien"), facts, desk(time={"overdraft": "refuse"}))
    assert [entry.minutes for entry in decided.entries] == [10, -8]


def test_mail_to_no_ticket_is_handed_back():
    message = from_marta("Hola, ¿qué tal?", to="soporte@example.es", subject="Hola")
    decided = plan(message, known(ticket()), vouched=True)
    assert (decided.outcome, templates(decided)) == (Outcome.REJECT, ["no_ticket"])


def test_mail_to_no_ticket_may_book_on_tickets_that_it_names():
    message = from_marta("#time SOP-12 10m", to="soporte@example.es", subject="Hoy")
    decided = plan(message, known(ticket()), vouched=True)
    assert [entry.ticket for entry in decided.entries] == [12]


# ---- void ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (debit(345), None),
        (debit(345, at=NOW - timedelta(hours=25)), "void_too_late"),
        (debit(345, technician="elena"), "not_your_entry"),
        (debit(345, kind=Kind.PURCHASE, minutes=-240), "no_such_entry"),
    ],
    ids=["own", "late", "others", "purchase"],
)
def test_author_voids_a_debit_within_a_day(entry, problem: str | None):
    decided = plan(from_marta("#void 345 duplicado"), known(ticket(), entries={345: entry}))
    found = decided.script.commands[0].problem
    assert (found.code if found else None) == problem
    assert [(e.kind, e.minutes, e.of) for e in decided.entries] == ([] if problem else [(Kind.VOID, 12, 345)])


def test_second_void_of_an_entry_in_one_mail_is_a_wrong_line():
    decided = plan(from_marta("#void 345 a\n#void 345 b"), known(ticket(), entries={345: debit(345)}))
    assert [problem.problem.code for problem in decided.script.problems] == ["already_void"]  # type: ignore[union-attr]


def test_nothing_is_voided_twice():
    facts = known(ticket(), entries={345: debit(345)}, voided=frozenset({345}))
    assert plan(from_marta("#void 345"), facts).outcome is Outcome.REJECT


# ---- held back, in copy --------------------------------------------------------------------------


def test_forwarded_mail_is_kept_as_a_note_until_the_technician_says_send():
    text = "Mira:\n\n---------- Forwarded message ---------\nFrom: x@h.example\nSubject: Caduca\n\nSu dominio caduca."
    decided = plan(from_marta(text, subject="Fwd: [SOP-12] Caduca"), known(ticket()))
    assert decided.hold
    assert decided.internal
    assert templates(decided) == ["held"]
    assert "Mira:" in decided.text
    assert "Su dominio caduca." in decided.text


@pytest.mark.parametrize("prefix", ["Fwd:", "FW:", "RV:", "Rv:", "Reenv:", "Fwd: RE:"])
@pytest.mark.parametrize("text", ["", "Mira:\n\n", "Inicio del mensaje reenviado:\n\n> "])
def test_no_forward_reaches_the_client_by_accident(prefix: str, text: str):
    decided = plan(from_marta(f"{text}Su dominio caduca.", subject=f"{prefix} Caduca"), known(ticket()))
    assert (decided.hold, decided.internal, templates(decided)) == ("forward", True, ["held"])
    assert "Su dominio caduca." in decided.text


def test_a_forward_in_which_nothing_was_written_is_kept_too():
    text = "---------- Forwarded message ---------\nFrom: x@h.example\nSubject: Caduca\n\nSu dominio caduca."
    decided = plan(from_marta(text, subject="Dominio"), known(ticket()))
    assert (decided.hold, templates(decided)) == ("forward", ["held"])
    assert "Su dominio caduca." in decided.text


@pytest.mark.parametrize("text", ["Mira.", ""])
def test_a_message_that_is_attached_whole_is_a_forward(text: str):
    raw = (
        f"From: Marta Gil <marta@example.es>\nTo: {reply_address(12, 'marta@example.es')}\nSubject: Re: El carrito\n"
        "Message-ID: <f1@example.es>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        f"--b\nContent-Type: text/plain\n\n{text}\n--b\nContent-Type: message/rfc822\n\n"
        "From: x@h.example\nSubject: Acceso\n\nLa clave es 1234.\n--b--\n"
    )
    decided = plan(mime.parse(raw.encode(), Envelope("imap")), known(ticket()))
    assert (decided.hold, decided.internal, templates(decided)) == ("forward", True, ["held"])


def test_an_answer_in_a_thread_that_began_as_a_forward_is_an_answer():
    assert plan(from_marta("Hecho.", subject="Re: [SOP-12 Acme] Fwd: Factura"), known(ticket())).hold == ""


def test_send_releases_what_was_held():
    held = Held(4, 77, "Su dominio caduca.", (debit(9, 10),))
    decided = plan(from_marta("#send"), known(ticket(minutes=10), held={(12, "marta"): held}))
    assert decided.releases == held
    (answer,) = decided.notices
    assert (answer.values["minutes"], answer.values["ticket_minutes"]) == (10, 10)
    assert (answer.template, answer.values["body"], answer.carry_from) == ("answer", "Su dominio caduca.", 77)


def test_send_and_close_in_one_mail_close_the_ticket():
    facts = known(ticket(), held={(12, "marta"): Held(4, 77, "Su dominio caduca.")})
    decided = plan(from_marta("#send\n#close"), facts)
    assert decided.changed is not None
    assert (decided.changed.status, decided.changed.first_answer_at) == (Status.CLOSED, NOW)


def test_send_with_nothing_held_is_a_wrong_line():
    assert plan(from_marta("#send"), known(ticket())).outcome is Outcome.REJECT


def test_mail_that_the_client_has_already_is_recorded_and_not_sent_again():
    headers = f"Cc: {reply_address(12, 'marta@example.es')}\n"
    message = from_marta("Listo, Ana.\n#time 5m", to="ana@acme.example", headers=headers)
    decided = plan(message, known(ticket()))
    assert decided.notices == ()
    assert [entry.minutes for entry in decided.entries] == [-5]
    assert not decided.internal


def test_answer_reaches_the_client_when_only_a_colleague_of_theirs_is_in_copy():
    message = from_marta("Listo, Ana.\n#time 2m", headers="Cc: jefe@tienda.example\n")
    assert [(notice.template, notice.to) for notice in plan(message, known(ticket())).notices] == [
        ("answer", "ana@acme.example")
    ]


# ---- mails ---------------------------------------------------------------------------------------


def test_acknowledgement_says_when_the_desk_is_back():
    friday_evening = datetime(2026, 11, 6, 19, 30, tzinfo=UTC)
    monday_morning = datetime(2026, 11, 9, 9, 0, tzinfo=UTC)
    for now, back_at in ((NOW, None), (friday_evening, monday_morning)):
        ack = decide(mail(), known(), desk(), now).notices[0]
        assert (ack.values["open_now"], ack.values["back_at"]) == (back_at is None, back_at)


def test_acknowledgement_and_notice_say_until_when_the_answer_is_due():
    ack, notice = plan(mail()).notices
    assert ack.values["due_at"] == notice.values["ticket"].answer_due_at == NOW + timedelta(hours=4)


@pytest.mark.parametrize(
    ("sender", "at", "name"),
    [
        ("ana@acme.example", "2026-12-08T12:00", "Inmaculada Concepción"),
        ("ana@acme.example", "2026-12-04T21:00", "Lunes siguiente a Día de la Constitución Española"),
        ("hello@beta.example", "2026-12-25T12:00", "Christmas Day"),
        ("ana@acme.example", "2026-11-06T21:00", ""),
    ],
)
def test_acknowledgement_names_the_holiday_for_which_the_desk_is_closed(sender: str, at: str, name: str):
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert decide(mail(sender=sender), known(), desk(), now).notices[0].values["closed_for"] == name


def test_english_client_is_written_to_in_english():
    decided = plan(mail(sender="hello@beta.example"))
    assert [notice.language for notice in decided.notices] == ["en", "es"]


def test_message_without_an_id_is_not_threaded_to():
    decided = plan(mail(message_id=""))
    assert decided.notices[0].in_reply_to == ""
    assert decided.notices[0].references == ()


def test_same_arguments_give_the_same_plan():
    message, facts, at = mail(), known(), desk()
    assert plan(message, facts, at) == plan(message, facts, at)
