"""Several people in one ticket: answers that cross, times that are asked back, and what follows from the word given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from mailgate.core.model import Kind, Outcome, Status
from mailgate.core.plan import Plan
from mailgate.store import messages
from tests.stored import stored_desk
from tests.story import ANA, ELENA, MARTA, Story, begun
from tests.support import NOW, desk, reply_address

MINUTE = timedelta(minutes=1)
HELD = ("held", MARTA)


class Desk(Story):
    """A story in which technicians answer the mails that they got."""

    def answers(self, who: str, text: str, mail: int, ticket: int = 1, at: datetime = NOW, **parts: str) -> Plan:
        """An answer to the mail of that number in the outbox."""
        headers = f"In-Reply-To: <{self.message_id(mail)}>\n" + parts.pop("headers", "")
        return self.says(who, text, ticket, at, headers=headers, **parts)

    def message_id(self, mail: int) -> str:
        with self.stored.store.read() as tx:
            return str(tx.value("select message_id from outbox where id = :id", id=mail))

    def newest(self, template: str, to: str) -> int:
        """The number of the newest mail of a template to somebody."""
        return [mail.id for mail in self.stored.mails() if (mail.template, mail.to) == (template, to)][-1]

    def answered(self) -> list[str]:
        """First lines of what went to the client as answers, in order."""
        found = zip(self.stored.mails(), self.stored.raws(), strict=True)
        raws = [raw for mail, raw in found if mail.template == "answer" and mail.to == ANA]
        bodies = [message_from_bytes(raw, policy=default).get_body(("plain",)) for raw in raws]
        return [str(body.get_content()).splitlines()[0] for body in bodies if body]

    def text_of(self, template: str) -> str:
        return super().text_of(template).replace("\r\n", "\n")

    def debits(self) -> list[int]:
        return [-entry.minutes for entry in self.ledger() if entry.kind is Kind.DEBIT]

    def internal(self, ticket: int = 1) -> list[bool]:
        with self.stored.store.read() as tx:
            return [message.internal for message in messages.of_ticket(tx, ticket)]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Desk]:
    with begun(tmp_path, Desk, minutes=2000) as story:
        yield story


def _crossed(story: Desk, text: str = "Lo miro yo.\n\n#time 20m") -> int:
    """Elena answers Ana, then Marta does without having seen it; gives the number of the mail that tells her."""
    notice = story.newest("notice", MARTA)
    story.answers("elena", "Prueba otra vez, por favor.", notice, at=NOW + 6 * MINUTE)
    story.answers("marta", text, notice, at=NOW + 10 * MINUTE)
    return story.newest("held", MARTA)


# ---- the collision guard -------------------------------------------------------------------------


def test_an_answer_that_did_not_see_a_colleagues_waits_whole(story: Desk):
    before = story.ticket()
    _crossed(story)
    assert story.told() == [HELD]
    assert (story.answered(), story.debits()) == (["Prueba otra vez, por favor."], [])
    assert story.internal() == [False, False, True]
    assert (before.status, story.ticket().status) == (Status.NEW, Status.WAITING)
    told = story.text_of("held")
    assert "Elena respondió hace 4 min:\n> Prueba otra vez, por favor." in told
    assert "«#send»" in told
    assert "> · #time 20m" in told


def test_an_answer_that_did_not_see_a_newer_message_of_the_client_waits(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "Ya va solo.", 1, at=NOW + 2 * MINUTE)
    story.answers("marta", "Lo miro.\n\n#close", notice, at=NOW + 12 * MINUTE)
    assert "Ana escribió hace 10 min:\n> Ya va solo." in story.text_of("held")
    assert story.ticket().status is Status.NEW


@pytest.mark.parametrize("said", ["Muchas gracias, Marta.", "De acuerdo.\n\nUn saludo,\nAna", "#tope 30m"])
def test_what_asks_for_nothing_holds_no_answer_back(story: Desk, said: str):
    notice = story.newest("notice", MARTA)
    story.says("ana", said, 1, at=NOW + 2 * MINUTE)
    story.answers("marta", "Lo miro.\n\n#time 5m", notice, at=NOW + 12 * MINUTE)
    assert (story.answered(), story.debits()) == (["Lo miro."], [5])


@pytest.mark.parametrize(
    "said", ["Gracias, pero sigue igual.", "ok, pero antes del lunes", "Hola:\n#tope 30m\n¿Llega?"]
)
def test_thanks_with_something_more_hold_an_answer_back(story: Desk, said: str):
    notice = story.newest("notice", MARTA)
    story.says("ana", said, 1, at=NOW + 2 * MINUTE)
    story.answers("marta", "Lo miro.", notice, at=NOW + 12 * MINUTE)
    assert story.answered() == []


def test_a_word_that_lets_an_answer_go_does_not_speak_for_the_client(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "#tope 30m\n¿Cuánto llevará?", 1, at=NOW + 2 * MINUTE)
    story.answers("marta", "Poco.\n\n#time 40m", notice, at=NOW + 12 * MINUTE)
    story.told()
    story.answers("marta", "#yes", story.newest("held", MARTA), at=NOW + 13 * MINUTE)
    assert story.told() == [("limit_reached", ANA), ("debit_held", MARTA)]
    assert (story.answered(), story.debits()) == (["Poco."], [])
    story.says("marta", "#yes", 1, at=NOW + 14 * MINUTE)
    assert story.debits() == [40]


def test_who_answers_the_newest_mail_is_not_held(story: Desk):
    story.says("ana", "Y el logo.", 1, at=NOW + 2 * MINUTE)
    story.answers("marta", "Lo miro.", story.newest("notice", MARTA), at=NOW + 3 * MINUTE)
    assert story.answered() == ["Lo miro."]


def test_two_messages_of_the_same_moment_are_told_apart(story: Desk):
    first = story.newest("notice", MARTA)
    story.says("ana", "Ya va solo.", 1)
    story.answers("marta", "Lo miro.", first)
    assert story.told() == [HELD]


def test_ones_own_answers_and_notes_of_others_hold_nothing(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("elena", "#note\nEs cosa del DNS.", 1)
    for text in ("Lo miro.", "Hecho."):
        story.answers("marta", text, notice)
    assert story.answered() == ["Lo miro.", "Hecho."]


def test_a_note_and_mere_commands_are_never_held(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "Ya va solo.", 1)
    story.answers("marta", "#note\nBien.", notice)
    story.answers("marta", "#time 5m", notice)
    assert (story.told(), story.debits()) == ([], [5])


def test_a_robot_of_the_clients_holds_nothing(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "Estoy fuera.", 1, headers="Auto-Submitted: auto-replied\n")
    story.answers("marta", "Lo miro.", notice)
    assert story.answered() == ["Lo miro."]


@pytest.mark.parametrize(
    ("written", "held"),
    [
        (NOW + MINUTE, True),
        (NOW + 2 * MINUTE, False),  # a Date: knows no parts of a second
        (NOW + 3 * MINUTE, False),
        (NOW - MINUTE, False),  # nobody answers what is not there yet: a clock that is wrong
        (None, False),
    ],
)
def test_what_answers_no_mail_that_we_know_goes_by_its_date(story: Desk, written: datetime | None, held: bool):
    story.says("ana", "Ya va solo.", 1, at=NOW + 2 * MINUTE + timedelta(seconds=0.5))
    date = f"Date: {written:%a, %d %b %Y %H:%M:%S +0000}\n" if written else ""
    story.says("marta", "Lo miro.", 1, at=NOW + 4 * MINUTE, headers=f"In-Reply-To: <x@y.example>\n{date}")
    assert (story.told() == [HELD]) is held


def test_what_the_client_has_already_is_recorded_not_held(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "Ya va solo.", 1)
    plan = story.answers("marta", "Hecho.\n#time 5m", notice, to=ANA, headers=f"Cc: {reply_address(1, MARTA)}\n")
    assert (plan.hold, story.debits(), story.told()) == ("", [5], [])


# ---- the word given ------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["#send", "#enviar", "#yes"])
def test_send_does_all_of_the_held_mail_once(story: Desk, word: str):
    held = _crossed(story, "Lo miro yo.\n\n#time 20m\n#priority high\n#close")
    story.told()
    story.answers("marta", word, held, at=NOW + 15 * MINUTE)
    assert story.answered()[1:] == ["Lo miro yo."]
    assert (story.debits(), story.ticket().status, story.ticket().priority) == ([20], Status.CLOSED, "high")
    assert story.internal() == [False, False, False, True]
    assert "Tiempo de esta respuesta: 20 min" in story.text_of("answer")
    assert story.answers("marta", word, held, at=NOW + 16 * MINUTE).outcome is Outcome.REJECT
    assert (len(story.answered()), story.debits()) == (2, [20])


def test_attachments_of_the_held_mail_go_with_it(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "Ya va solo.", 1)
    raw = (
        f"From: Marta <{MARTA}>\nTo: {reply_address(1, MARTA)}\nSubject: Re: El carrito\nMessage-ID: <f1@example.es>\n"
        f"In-Reply-To: <{story.message_id(notice)}>\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nTe mando el plano.\n--b\n"
        "Content-Type: text/csv\nContent-Disposition: attachment; filename=plano.csv\n\na;b\n--b--\n"
    )
    story.stored.take(raw.encode())
    story.answers("marta", "#send", story.newest("held", MARTA))
    answer = message_from_bytes(story.stored.raws()[-1], policy=default)
    assert [part.get_filename() for part in answer.iter_attachments()] == ["plano.csv"]


def test_a_new_text_with_send_goes_after_what_was_held(story: Desk):
    held = _crossed(story)
    story.answers("marta", "Y mañana seguimos.\n\n#send\n#time 5m", held)
    assert story.answered()[1:] == ["Lo miro yo.", "Y mañana seguimos."]
    assert story.debits() == [20, 5]


def test_when_what_comes_with_send_cannot_be_done_nothing_is(tmp_path: Path):
    with stored_desk(tmp_path, desk(time={"overdraft": "refuse"})) as stored:
        story = Desk(stored)
        stored.book(30, package="4h", price="160.00 EUR")
        story.says("ana", "No va.")
        held = _crossed(story)
        assert story.answers("marta", "#send\n#time 20m", held).outcome is Outcome.REJECT
        assert (story.debits(), len(story.answered())) == ([], 1)
        story.answers("marta", "#send\n#time 10m", held)
        assert story.debits() == [20, 10]
        assert story.problems() == []


def test_a_new_answer_takes_the_place_of_the_held_one(story: Desk):
    held = _crossed(story)
    story.answers("marta", "Elena ya lo ha hecho.\n\n#time 5m", held)
    assert story.answered()[1:] == ["Elena ya lo ha hecho."]
    assert story.debits() == [5]
    assert story.answers("marta", "#send", held).outcome is Outcome.REJECT


def test_the_same_text_sent_again_is_fresh(story: Desk):
    held = _crossed(story)
    story.answers("marta", "Lo miro yo.\n\n#time 20m", held)
    assert (story.answered()[1:], story.debits()) == (["Lo miro yo."], [20])


def test_of_two_held_mails_of_one_technician_the_newer_counts(story: Desk):
    _crossed(story)
    notice = story.newest("notice", MARTA)
    story.answers("marta", "Mejor mañana.\n\n#time 7m", notice)
    assert "ya no se puede enviar" in story.text_of("held")
    held = story.newest("held", MARTA)
    for _ in range(2):
        story.answers("marta", "#send", held)
    assert (story.answered()[1:], story.debits()) == (["Mejor mañana."], [7])


def test_two_technicians_each_have_their_own_held(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "Ya va solo.", 1)
    for who, minutes in (("marta", 5), ("elena", 7)):
        story.answers(who, f"Soy {who}.\n\n#time {minutes}m", notice)
    assert story.told() == [HELD, ("held", ELENA)]
    story.answers("elena", "#send", story.newest("held", ELENA))
    assert (story.answered(), story.debits()) == (["Soy elena."], [7])
    story.answers("marta", "#send", story.newest("held", MARTA))
    assert (story.answered(), story.debits()) == (["Soy elena.", "Soy marta."], [7, 5])


def test_a_released_answer_counts_as_new_from_then_on(story: Desk):
    notice = story.newest("notice", MARTA)
    held = _crossed(story)
    story.says("ana", "¿Y bien?", 1, at=NOW + 20 * MINUTE)
    asked = story.newest("notice", MARTA)
    assert asked != notice
    story.answers("marta", "#send", held, at=NOW + 21 * MINUTE)
    story.told()
    story.answers("elena", "Te llamo.", asked, at=NOW + 22 * MINUTE)
    assert story.told() == [("held", ELENA)]
    assert "Marta respondió" in story.text_of("held")


def test_a_forward_waits_as_ever_and_its_commands_count(story: Desk):
    text = "Mira:\n#time 3m\n\n---------- Forwarded message ---------\nFrom: x@h.example\nSubject: Caduca\n\nCaduca."
    story.says("marta", text, 1, subject="Fwd: [SOP-1] Caduca")
    assert (story.told(), story.debits(), story.answered()) == ([HELD], [3], [])
    story.says("marta", "#send", 1)
    assert (story.answered(), story.debits()) == (["Mira:"], [3])


# ---- unlikely times ------------------------------------------------------------------------------


def test_a_line_above_the_mark_is_asked_back_and_yes_books_it_once(story: Desk):
    story.says("marta", "Migrado todo.\n\n#time 7h", 1)
    assert (story.told(), story.debits(), story.answered()) == ([HELD], [], [])
    told = story.text_of("held")
    assert all(words in told for words in ("«#time 7h»", "7 h", "«#yes»", "6 h"))
    for _ in range(2):
        story.says("marta", "#si", 1)
    assert (story.debits(), story.answered()) == ([420], ["Migrado todo."])


@pytest.mark.parametrize(("text", "asked"), [("Hecho.", True), ("Hola:\n\nHecho.\nY probado.\nAdiós", False)])
def test_much_time_for_a_short_answer_is_asked_back_once_habits_are_known(story: Desk, text: str, asked: bool):
    for number in range(8):
        story.says("marta", f"#time 1{number}m", 1)
    story.says("marta", f"{text}\n\n#time 75m", 1)
    assert (story.debits()[8:] == []) is asked
    assert not asked or "no pasan de 17 min" in story.text_of("held")


def test_a_mail_to_no_ticket_waits_in_the_one_that_it_books_on(story: Desk):
    story.says("marta", "#time SOP-1 7h", to=reply_address(0, MARTA), subject="Horas")
    assert (story.told(), story.debits()) == ([HELD], [])
    story.answers("marta", "#yes", story.newest("held", MARTA))
    assert (story.debits(), story.answered(), story.internal()) == ([420], [], [False, True, True])


def test_the_mark_can_be_taken_away(tmp_path: Path):
    with stored_desk(tmp_path, desk(time={"confirm_above": ""})) as stored:
        story = Desk(stored)
        story.says("ana", "No va.")
        story.says("marta", "Migrado.\n\n#time 12h", 1)
        assert story.debits() == [720]


# ---- rehearsals ----------------------------------------------------------------------------------


def test_a_rehearsal_tells_what_would_have_happened_and_does_nothing(story: Desk):
    before = (story.ticket(), story.internal(), story.balance())
    story.says("marta", "Hola, Ana:\n\nYa va.\n\n#time 12m\n#test", 1)
    assert story.told() == [("rehearsal", MARTA)]
    told = story.text_of("rehearsal")
    for words in (
        "reconocido por tu dirección de respuesta",
        "Estado: nuevo → en espera del cliente",
        "trabajo: 12 min en SOP-1",
        "Saldo de Acme S.L.: 33 h 20 min → 33 h 8 min",
        "A ana@acme.example le habría llegado:",
        "> Asunto: Re: El carrito",
        "> Ya va.",
        "> Tiempo de esta respuesta: 12 min",
    ):
        assert words in told, words
    assert (story.ticket(), story.internal(), story.balance(), story.answered()) == (*before, [])


def test_the_same_without_test_is_done_as_if_nothing_had_been(story: Desk):
    text = "Hola, Ana:\n\nYa va.\n\n#time 12m"
    story.says("marta", f"{text}\n#prueba", 1)
    story.answers("marta", text, story.newest("rehearsal", MARTA))
    assert (story.answered(), story.debits(), story.told()) == (["Hola, Ana:"], [12], [("rehearsal", MARTA)])
    assert "Ya va." in story.text_of("answer")


def test_a_rehearsal_says_which_line_is_wrong(story: Desk):
    story.says("marta", "Ya va.\n\n#time 12m\n#status dormido\n#test", 1)
    told = story.text_of("rehearsal")
    assert "«dormido» no es un estado" in told
    assert all(words in told for words in ("1 línea equivocada", "Al cliente no le habría llegado nada."))


def test_a_rehearsal_says_that_the_mail_would_wait_and_holds_nothing(story: Desk):
    notice = story.newest("notice", MARTA)
    story.says("ana", "Ya va solo.", 1)
    story.answers("marta", "Lo miro.\n\n#test", notice)
    assert "retenido entero hasta que digas «#send»" in story.text_of("rehearsal")
    assert story.says("marta", "#send", 1).outcome is Outcome.REJECT


def test_a_rehearsal_of_send_leaves_what_is_held(story: Desk):
    held = _crossed(story)
    story.answers("marta", "#send\n#test", held)
    assert len(story.answered()) == 1
    story.answers("marta", "#send", held)
    assert len(story.answered()) == 2


def test_a_rehearsal_names_who_else_would_be_told(story: Desk):
    story.says("marta", "#note\nPara Elena.\n#assign elena\n#test", 1)
    told = story.text_of("rehearsal")
    assert "se habría avisado a: elena@example.es" in told
    assert "Al cliente no le habría llegado nada." in told


def test_in_a_clients_mail_the_word_is_text(story: Desk):
    assert story.says("ana", "#test", 1).outcome is Outcome.APPEND


# ---- handing over --------------------------------------------------------------------------------


def test_who_is_given_a_ticket_gets_the_whole_conversation_with_its_files_named(story: Desk):
    raw = (
        f"From: Ana <{ANA}>\nTo: {reply_address(1, ANA)}\nSubject: Re: El carrito\nMessage-ID: <f2@acme.example>\n"
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nVa la lista.\n"
        "--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=lista.csv\n\na;b\n--b--\n"
    )
    story.stored.take(raw.encode())
    story.says("marta", "Lo miro.", 1)
    story.says("marta", "#note\nCreo que es el DNS.", 1)
    story.says("marta", "#assign elena", 1)
    assert story.told() == [("handed_over", ELENA)]
    told = story.text_of("handed_over")
    for words in ("> No funciona el carrito.", "> Va la lista.\n> [Adjuntos: lista.csv]", "> Lo miro.", "nota interna"):
        assert words in told, words


# ---- merging -------------------------------------------------------------------------------------


def _two_tickets(story: Desk) -> None:
    """Ticket 2 of Ana's, beside ticket 1."""
    story.says("ana", "El carrito otra vez.", subject="Otra vez el carrito", at=NOW + MINUTE)
    story.told()


def test_a_merged_ticket_goes_on_in_the_other(story: Desk):
    _two_tickets(story)
    story.says("marta", "#time 12m", 2)
    story.says("marta", "#merge SOP-1", 2)
    gone, on = story.ticket(2), story.ticket(1)
    assert (gone.status, gone.merged_into, gone.minutes) == (Status.CLOSED, 1, 12)
    assert (on.status, on.minutes) == (Status.NEW, 12)
    assert story.told() == [("merged", ANA)]
    told = story.text_of("merged")
    assert "Hemos unido su ticket SOP-2 a SOP-1 («El carrito»)" in told
    assert (len(story.internal(1)), story.internal(2)) == (4, [])


def test_replies_to_either_reach_the_ticket_that_goes_on(story: Desk):
    _two_tickets(story)
    ack = story.newest("ack", ANA)
    story.says("marta", "#unir SOP-1", 2)
    for headers, to, subject in (
        ("", reply_address(2, ANA), "Re: Otra vez"),
        (f"In-Reply-To: <{story.message_id(ack)}>\n", "soporte@example.es", "Re: Otra vez"),
        ("", "soporte@example.es", "Re: [SOP-2] Otra vez"),
        ("", reply_address(1, ANA), "Re: El carrito"),
    ):
        plan = story.says("ana", "¿Y bien?", to=to, subject=subject, headers=headers)
        assert plan.ticket is not None
        assert (plan.outcome, plan.ticket.id) == (Outcome.APPEND, 1)
    story.answers("marta", "Hecho.\n\n#time SOP-2 5m", story.newest("notice", MARTA), 2)
    assert (story.answered(), story.debits(), story.ticket(1).minutes) == (["Hecho."], [5], 5)
    assert story.ledger()[-1].ticket == 1


def test_chains_of_merged_tickets_lead_to_the_last(story: Desk):
    _two_tickets(story)
    story.says("ana", "Y el pago.", subject="El pago")
    story.says("marta", "#time 3m\n#merge SOP-2", 1)
    story.says("marta", "#time 4m\n#merge SOP-3", 2)
    assert [story.ticket(number).merged_into for number in (1, 2, 3)] == [3, 3, None]
    assert story.ticket(3).minutes == 7
    plan = story.says("ana", "Gracias, y otra cosa.", 1)
    assert plan.ticket is not None
    assert plan.ticket.id == 3


def test_what_was_merged_stands_for_where_it_went(story: Desk):
    _two_tickets(story)
    story.says("ana", "Y el pago.", subject="El pago")
    story.says("marta", "#merge SOP-2", 1)
    story.says("marta", "#merge SOP-1", 3)
    assert story.ticket(3).merged_into == 2
    story.says("marta", "#priority high\n#close SOP-1", 2)
    assert (story.ticket(2).status, story.ticket(2).priority) == (Status.CLOSED, "high")


@pytest.mark.parametrize(
    ("line", "disputed"), [("#reclamar SOP-1", [5, 12]), ("#dispute", [5, 12]), ("#reclamar SOP-2", [12])]
)
def test_a_dispute_of_a_ticket_covers_what_was_merged_into_it(story: Desk, line: str, disputed: list[int]):
    _two_tickets(story)
    story.says("marta", "#time 5m", 1)
    story.says("marta", "#time 12m\n#merge SOP-1", 2)
    moved = {entry.id: entry for entry in story.ledger()}
    assert [entry.ticket for entry in moved.values() if entry.ticket] == [1, 2]
    story.says("ana", f"{line} no es lo hablado", 1)
    assert sorted(-moved[matter.entry or 0].minutes for matter in story.matters()) == disputed


def test_the_director_merges_tickets_by_name(story: Desk):
    _two_tickets(story)
    story.says("elena", "#merge SOP-2 SOP-1", to=reply_address(0, ELENA))
    assert story.ticket(2).merged_into == 1
    assert story.told() == [("merged", ANA), ("merged", MARTA)]
    assert "Elena Ruiz ha unido SOP-2" in story.text_of("merged")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("#merge", "Por ejemplo: «#merge SOP-9»"),
        ("#merge 1", "¿Es «SOP-1»?"),
        ("#merge WEB-1", "¿Es «SOP-1»?"),
        ("#merge SOP-99", "No hay ningún ticket «SOP-99»"),
        ("#merge SOP-2", "ya es este mismo ticket"),
        ("#merge SOP-3", "es de otro cliente"),
        ("#merge SOP-1 SOP-2 luego", "escribe «#merge SOP-1 SOP-2»"),
        ("#merge SOP-1\n#merge SOP-1 SOP-2", "en un correo aparte"),
    ],
)
def test_what_cannot_be_merged_is_said(story: Desk, line: str, words: str):
    _two_tickets(story)
    story.says("hello@beta.example", "Hello.", subject="Hello")
    assert story.says("marta", line, 2).outcome is Outcome.REJECT
    assert words in story.text_of("problems")
    assert story.ticket(2).merged_into is None


def test_what_waits_goes_on_in_the_other_ticket(story: Desk):
    _two_tickets(story)
    story.says("ana", "#tope 5m", 1)
    notice = story.newest("notice", MARTA)
    story.says("marta", "#time 10m", 1)
    story.says("ana", "¿Sigue?", 1)
    story.answers("marta", "Hecho.\n\n#time 1m", notice)
    assert [matter.ticket for matter in story.matters()] == [1]
    story.says("elena", "#merge SOP-2", 1)
    assert [matter.ticket for matter in story.matters()] == [2]
    story.answers("marta", "#send", story.newest("held", MARTA))
    assert (story.answered(), story.debits()) == (["Hecho."], [1])
    assert story.ticket(2).minutes == 1
    story.says("ana", "ok", 1)
    assert story.debits() == [1, 10]


def test_an_answer_owed_in_the_one_is_owed_in_the_other(story: Desk):
    due = story.ticket(1).answer_due_at
    _two_tickets(story)
    story.says("marta", "¿Qué navegador usa?", 2)
    assert (story.ticket(2).status, story.ticket(2).answer_due_at) == (Status.WAITING, None)
    story.says("marta", "#merge SOP-2", 1)
    assert (story.ticket(2).status, story.ticket(2).answer_due_at) == (Status.OPEN, due)


def test_an_answer_with_merge_goes_out_in_its_own_thread(story: Desk):
    _two_tickets(story)
    story.says("marta", "Lo llevamos junto.\n\n#time 2m\n#merge SOP-1", 2)
    assert (story.answered(), story.debits(), story.ticket(1).minutes) == (["Lo llevamos junto."], [2], 2)
    plan = story.says("ana", "De acuerdo, pues, quedo a la espera.\n\n> Lo llevamos junto.", 2)
    assert plan.text.startswith("De acuerdo")
    assert "Lo llevamos" not in plan.text


# ---- third persons -------------------------------------------------------------------------------

LUIS = "luis@agencia.example"
WAITS = ("guest_waits", MARTA)


def _luis_writes(story: Desk, text: str = "Soy de la agencia. ¿Las claves?", **parts: str) -> Plan:
    """To the reply address that was made for Ana, who handed the mail on to him."""
    return story.says(LUIS, text, **{"to": reply_address(1, ANA), "subject": "Re: El carrito", **parts})


def _admitted(story: Desk) -> None:
    _luis_writes(story)
    story.answers("marta", "#admitir 1", story.newest("guest_waits", MARTA))
    story.told()


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"to": "soporte@example.es", "subject": "Re: [SOP-1] El carrito"},
        {"headers": "In-Reply-To: <s1@acme.example>\n", "to": "soporte@example.es"},
    ],
)
def test_a_stranger_who_points_at_a_ticket_waits_with_it_and_its_technician_is_told(story: Desk, parts: dict[str, str]):
    assert _luis_writes(story, "¿Las claves?\n\n#time 99m", **parts).outcome is Outcome.QUARANTINE
    assert story.told() == [WAITS]
    told = story.text_of("guest_waits")
    assert all(words in told for words in (f"({LUIS})", "> ¿Las claves?", "> · #time 99m", "«#admitir 1»"))
    assert story.internal() == [False]


def test_the_technician_is_told_once_while_a_mail_of_the_same_sender_waits(story: Desk):
    for who in (LUIS, LUIS, "eva@agencia.example"):
        story.says(who, "¿Hola?", to=reply_address(1, ANA))
    assert story.told() == [WAITS, WAITS]


@pytest.mark.parametrize("headers", ["Auto-Submitted: auto-replied\n", "List-Id: <x.agencia.example>\n"])
def test_robots_and_lists_at_the_door_are_told_to_nobody(story: Desk, headers: str):
    _luis_writes(story, headers=headers)
    assert story.told() == []


def test_a_stranger_who_points_at_nothing_waits_as_ever(story: Desk):
    _luis_writes(story, to="soporte@example.es", subject="Hola")
    assert story.told() == []


def test_allow_lets_in_all_that_waits_and_what_comes_later(story: Desk):
    _luis_writes(story)
    _luis_writes(story, "¿Hay alguien?")
    story.told()
    story.answers("marta", "#allow 2", story.newest("guest_waits", MARTA))
    notices = [mail.to for mail in story.stored.mails() if mail.template == "notice"]
    assert (notices, story.told(), len(story.internal())) == ([MARTA] * 3, [], 4)
    assert "no es del cliente" in story.text_of("notice")
    assert _luis_writes(story, "Gracias por abrirme, otra pregunta.").outcome is Outcome.APPEND
    with story.stored.store.read() as tx:
        assert [str(one.role) for one in messages.of_ticket(tx, 1)].count("stranger") == 3


def test_an_answer_goes_to_the_client_and_a_bare_copy_to_the_guest_who_wrote_last(story: Desk):
    _admitted(story)
    story.says("marta", "Van por teléfono.\n\n#time 5m", 1)
    answers = [(mail.to, raw) for mail, raw in zip(story.stored.mails(), story.stored.raws(), strict=True)][-2:]
    texts = {
        to: body.get_content()
        for to, raw in answers
        if (body := message_from_bytes(raw, policy=default).get_body(("plain",)))
    }
    assert list(texts) == [ANA, LUIS]
    assert "Saldo:" in texts[ANA]
    assert "No funciona el carrito" in texts[ANA]
    assert "Van por teléfono." in texts[LUIS]
    assert "> Soy de la agencia" in texts[LUIS]
    assert not any(words in texts[LUIS] for words in ("Saldo", "Tiempo", "5 min", "33 h", "No funciona"))
    story.says("ana", "Gracias, ¿y el logo?", 1)
    story.says("marta", "También.", 1)
    assert [mail.to for mail in story.stored.mails() if mail.template == "answer"] == [ANA, LUIS, ANA]


def test_the_technician_reads_that_an_answer_goes_to_the_guest_as_well(story: Desk):
    _admitted(story)
    assert "llega al cliente y a Luis" in story.text_of("notice")
    story.says("ana", "Yo también espero.", 1)
    assert "llega al cliente.\n" in story.text_of("notice")


@pytest.mark.parametrize("text", ["saldo", "#time 30m", "#reclamar 1", "#tope 5m", "ok", "#devolucion"])
def test_a_guest_asks_and_orders_nothing(story: Desk, text: str):
    _admitted(story)
    before = story.ledger(), story.matters(), story.ticket().limit
    assert _luis_writes(story, text, subject=text).outcome is Outcome.APPEND
    assert (story.ledger(), story.matters(), story.ticket().limit) == before
    assert story.told() == []
    assert LUIS not in [mail.to for mail in story.stored.mails()]


def test_a_guest_may_not_speak_in_other_tickets(story: Desk):
    _two_tickets(story)
    _admitted(story)
    assert _luis_writes(story, to="soporte@example.es", subject="[SOP-2] Otra").outcome is Outcome.QUARANTINE
    assert _luis_writes(story, to="soporte@example.es", subject="Otra cosa").outcome is Outcome.QUARANTINE


def test_a_guest_goes_along_when_the_ticket_is_merged(story: Desk):
    _two_tickets(story)
    _admitted(story)
    story.says("marta", "#merge SOP-2", 1)
    plan = _luis_writes(story, "¿Seguimos aquí?")
    assert plan.ticket is not None
    assert (plan.outcome, plan.ticket.id) == (Outcome.APPEND, 2)


def test_a_guest_reopens_a_closed_ticket_however_late(story: Desk):
    _admitted(story)
    story.says("marta", "#close", 1)
    assert story.says(LUIS, "Una cosa más.", 1, at=NOW + timedelta(days=60), to=reply_address(1, ANA)).opens is False
    assert story.ticket().status is Status.OPEN


def test_only_strangers_at_a_ticket_are_let_in(story: Desk):
    story.says(MARTA, "Soy yo.", to=reply_address(1, ANA))
    story.says(LUIS, "Hola.", subject="Hola")
    for number, words in ((1, "no es de una persona desconocida"), (2, "no es de una"), (9, "9")):
        assert story.says("marta", f"#allow {number}", 1).outcome is Outcome.REJECT
        assert words in story.text_of("problems")


def test_a_ticket_of_a_prospect_is_not_open_to_others(tmp_path: Path):
    with stored_desk(tmp_path, desk(desk={"strangers": "prospect"})) as stored:
        story = Desk(stored)
        story.says("eva@nueva.example", "Queremos ser clientes.")
        at_eva = reply_address(1, "eva@nueva.example")
        assert _luis_writes(story, to=at_eva).outcome is Outcome.QUARANTINE
        assert ("guest_waits", ELENA) in story.told()
        plan = story.says("eva@nueva.example", "Somos una tienda.", to=at_eva)
        assert plan.outcome is Outcome.APPEND
