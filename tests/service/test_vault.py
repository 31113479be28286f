"""Access data in a conversation: who gets them, and where they stand covered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from mailgate.core.access_data.covering import cover
from mailgate.core.model import Outcome
from mailgate.service.explain import explained
from mailgate.service.finding import find
from mailgate.service.jobs import covering
from mailgate.store import Keyring, Store, messages, sealing, search, tickets, vault
from mailgate.store.blobs import get
from mailgate.store.tickets import Only
from tests.store.makes import message as made
from tests.stored import damaged, stored_desk
from tests.story import Story
from tests.support import NOW, desk, from_marta, mail, reply_address

SAYS = "El carrito de la tienda no va desde ayer por la tarde, ni con Chrome ni con Firefox."
ASKED = f"{SAYS}\n\nusuario: admin\ncontraseña: Xk9!zz26\n\nAna"
MARTA, ANA, ELENA = "marta@example.es", "ana@acme.example", "elena@example.es"


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with stored_desk(tmp_path) as stored:
        story = Story(stored)
        stored.book(240)
        yield story


def written(story: Story, since: int = 0) -> list[tuple[str, str, str, str]]:
    """Template, recipient, subject and text of the mails after the first so many."""
    found = zip(story.stored.mails(), story.stored.raws(), strict=True)
    read = [(one, message_from_bytes(raw, policy=default)) for one, raw in list(found)[since:]]
    bodies = [(one, parsed, parsed.get_body(("plain",))) for one, parsed in read]
    return [
        (one.template, one.to, str(parsed["subject"]), str(body and body.get_content())) for one, parsed, body in bodies
    ]


def stored_in_clear(story: Story, value: str) -> list[str]:
    """Tables and columns in which a value stands; the sealed ones are bytes."""
    with story.stored.store.read() as tx:
        found = []
        for table in tx.rows("select name from sqlite_schema where type = 'table' and name not like 'search%'"):
            for row in tx.rows(f"select * from {table['name']}"):
                found += [f"{table['name']}.{column}" for column, held in row.items() if value in str(held)]
    return found


def test_a_client_s_access_data_reach_the_technician_and_nobody_else(story: Story) -> None:
    story.says("ana", ASKED, subject="Carrito, clave: Xk9!zz26")
    mails = {template: (to, subject, text) for template, to, subject, text in written(story)}
    to, subject, text = mails["notice"]
    assert to == MARTA
    assert "contraseña: Xk9!zz26" in text
    assert subject == "[SOP-1 Acme S.L.] Carrito, clave: ⟦•••1⟧"
    assert "Xk9!zz26" not in mails["ack"][1] + mails["ack"][2]
    assert stored_in_clear(story, "Xk9!zz26") == []
    with story.stored.store.read() as tx:
        message = messages.get(tx, 1)
        assert message is not None
        assert "contraseña: ⟦•••1⟧" in message.text
        assert vault.of_message(tx, 1) == {1: "Xk9!zz26"}
        assert not search.find(tx, "Xk9", Only())
        assert "⟦•••1⟧" in find(tx, "SOP", "contraseña", Only(), 5)[0][0].excerpt


def test_a_password_for_the_client_arrives_as_it_was_written_and_is_quoted_covered(story: Story) -> None:
    story.says("ana", ASKED)
    before = len(story.stored.mails())
    story.says("marta", "Te he puesto otra clave: Nueva#77\n\n#time 12m clave: Nueva#77", ticket=1)
    (template, to, _, text), *_ = written(story, before)
    assert (template, to) == ("answer", ANA)
    assert "otra clave: Nueva#77" in text
    assert "Xk9!zz26" not in text  # the client's own message, quoted
    assert stored_in_clear(story, "Nueva#77") == []
    assert [entry.note for entry in story.ledger()[1:]] == ["clave: ⟦•••2⟧"]


def test_a_damaged_secret_is_gone_and_its_ticket_goes_on(story: Story) -> None:
    story.says("ana", ASKED)
    with story.stored.store.write() as tx:
        sealed = tx.value("select sealed from vault where id = 1")
        tx.run("update vault set sealed = :sealed where id = 1", sealed=damaged(sealed))
    assert story.says("marta", "Lo miro.\n\n#time 12m", ticket=1).outcome is Outcome.APPEND
    with story.stored.store.read() as tx:
        assert vault.of_message(tx, 1) == {}
        assert vault.value(tx, 1, [1]) is None


def test_a_quoted_secret_is_covered_whatever_stands_around_it_and_the_quote_is_known_as_history(story: Story) -> None:
    story.says("ana", ASKED)
    quoted = "\n".join(f"> {line}" for line in ASKED.splitlines())
    plan = story.says(
        "marta",
        f"Con Xk9!zz26 no entra.\n\nEl 3/11/2026 a las 11:00, Ana <ana@acme.example> escribió:\n{quoted}\n",
        ticket=1,
    )
    assert plan.text.strip() == "Con ⟦•••2⟧ no entra."
    again = story.says("ana", f"Prueba en otro sitio.\n\n{ASKED}", ticket=1, at=NOW + timedelta(hours=1))
    assert again.reading is not None
    assert again.reading.fresh.strip() == "Prueba en otro sitio."
    assert stored_in_clear(story, "Xk9!zz26") == []


def test_who_gets_the_ticket_next_reads_the_conversation_covered(story: Story) -> None:
    story.says("ana", ASKED)
    before = len(story.stored.mails())
    story.says("marta", "#assign elena", ticket=1)
    (template, to, _, text), *_ = written(story, before)
    assert (template, to) == ("handed_over", ELENA)
    assert "contraseña: ⟦•••1⟧" in text
    assert "Xk9!zz26" not in text


def test_a_mail_handed_back_can_be_sent_again_as_it_was(story: Story) -> None:
    story.says("ana", ASKED)
    before = len(story.stored.mails())
    plan = story.says("marta", "La clave: Nueva#77\n\n#time mucho", ticket=1)
    assert plan.outcome is Outcome.REJECT
    (template, _, _, text), *_ = written(story, before)
    assert template == "problems"
    assert "La clave: Nueva#77" in text
    assert stored_in_clear(story, "Nueva#77") == []


def test_an_answer_that_waited_goes_out_as_it_was_written(story: Story) -> None:
    story.says("ana", ASKED)
    story.says("marta", "La clave: Nueva#77\n\n#time 600m", ticket=1)
    assert "La clave: Nueva#77" in story.text_of("held")
    before = len(story.stored.mails())
    story.says("marta", "#yes", ticket=1, at=NOW + timedelta(minutes=5))
    assert "La clave: Nueva#77" in next(text for name, _, _, text in written(story, before) if name == "answer")
    with story.stored.store.read() as tx:
        said = [message.text.strip() for message in messages.of_ticket(tx, 1)]
        assert said[1] == "La clave: ⟦•••2⟧"
        assert vault.of_message(tx, 2) == {2: "Nueva#77"}
    assert stored_in_clear(story, "Nueva#77") == []


def test_a_forward_that_waited_goes_out_as_it_was_written(story: Story) -> None:
    story.says("ana", ASKED)
    forward = (
        "---------- Forwarded message ---------\nFrom: Hoster <x@hoster.example>\nDate: Mon, 2 Nov 2026\nSubject: FTP\n"
    )
    story.says("marta", f"{forward}To: marta@example.es\n\nclave: Ftp%9911", ticket=1, subject="Fwd: FTP")
    before = len(story.stored.mails())
    story.says("marta", "#send", ticket=1, at=NOW + timedelta(minutes=5))
    assert "clave: Ftp%9911" in next(text for name, _, _, text in written(story, before) if name == "answer")
    assert stored_in_clear(story, "Ftp%9911") == []


def test_of_a_stranger_s_mail_in_quarantine_nothing_is_kept_but_the_mail_itself(story: Story) -> None:
    story.says("ana", ASKED)
    story.says("eva@x.example", "clave: Otra!123", subject="[SOP-1] pin: 778899")
    assert stored_in_clear(story, "Otra!123") + stored_in_clear(story, "778899") == []
    assert "clave: ⟦•••⟧" in story.text_of("guest_waits")


def test_places_that_somebody_writes_open_nothing(story: Story) -> None:
    story.says("ana", ASKED)
    story.says("hello@beta.example", "¿Qué es ⟦•••1⟧? Mi clave: Beta+4455", subject="Hola")
    notice = story.text_of("notice")
    assert "⟦•••1⟧" in notice
    assert "Xk9!zz26" not in notice


def test_a_merged_ticket_takes_its_access_data_along(story: Story) -> None:
    story.says("ana", ASKED)
    story.says("ana", "Otra cosa.", subject="Otra")
    story.says("marta", "#merge SOP-1", ticket=2)
    with story.stored.store.read() as tx:
        merged = tickets.get(tx, 1)
        into = (merged and merged.merged_into) or 1
        assert vault.of_ticket(tx, into) == [(1, 1)]


def test_explain_shows_no_access_data(story: Story) -> None:
    with story.stored.store.read() as tx:
        told = explained(tx, mail(ASKED), story.stored.office, NOW)
    assert "contraseña: ⟦•••1⟧" in told["fresh_text"]
    assert "Xk9!zz26" not in str(told)


def with_file(text: str, content: bytes, name: str = "accesos.txt", kind: str = "text/plain") -> bytes:
    told = EmailMessage()
    told["From"], told["To"], told["Subject"] = f"Ana <{ANA}>", "soporte@example.es", "El FTP"
    told["Message-ID"] = "<f1@acme.example>"
    told.set_content(text)
    main, _, sub = kind.partition("/")
    told.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return told.as_bytes()


LIST = b"FTP\nusuario: web\nclave: Xk9!zz26\n"


def test_a_text_file_with_access_data_is_told_of_and_stays_as_it_is(story: Story) -> None:
    story.stored.take(with_file("Te paso los accesos.", LIST))
    ack, notice = (text for template, _, _, text in written(story) if template in ("ack", "notice"))
    assert "contiene datos de acceso" in ack
    assert "- accesos.txt (33 B): lleva datos de acceso" in notice
    raw = next(raw for one, raw in zip(story.stored.mails(), story.stored.raws(), strict=True) if one.to == MARTA)
    assert message_from_bytes(raw, policy=default).get_payload()[-1].get_payload(decode=True) == LIST  # type: ignore[union-attr,index]
    assert stored_in_clear(story, "Xk9!zz26") == []
    with story.stored.store.read() as tx:
        assert find(tx, "SOP", "Xk9 zz26", Only(), None) == ([], 0)
        assert vault.of_message(tx, 1) == {1: "Xk9!zz26"}


def test_what_a_file_told_is_known_again_in_its_ticket(story: Story) -> None:
    story.stored.take(with_file("Te paso los accesos.", LIST))
    story.says("ana", "Con Xk9!zz26 no entro.", ticket=1)
    with story.stored.store.read() as tx:
        assert "Con ⟦•••2⟧ no entro." in messages.of_ticket(tx, 1)[1].text


def test_a_file_with_access_data_is_not_handed_to_who_is_only_told(tmp_path: Path) -> None:
    rule = {"name": "accesos", "match": {"any": ["accesos"]}, "set": {"notify": "elena"}}
    with stored_desk(tmp_path, desk(rules=[rule])) as stored:
        stored.take(with_file("Te paso los accesos.", LIST))
        got = {
            mail.to: message_from_bytes(raw, policy=default)
            for mail, raw in zip(stored.mails(), stored.raws(), strict=True)
            if mail.template == "notice"
        }
    assert [len(list(got[who].iter_attachments())) for who in (MARTA, ELENA)] == [1, 0]  # type: ignore[attr-defined]
    body = got[ELENA].get_body(("plain",))
    assert body is not None
    assert "accesos.txt (33 B): lleva datos de acceso, por eso no va aquí" in body.get_content()


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        ("accesos.csv", "text/csv", b"servidor;usuario;clave\nftp.acme.example;web;Xk9!zz26\n"),
        ("accesos.htm", "text/html", b"<table><tr><td>clave:</td><td>Xk9!zz26</td></tr></table>"),
        ("accesos.txt", "application/octet-stream", "\ufeffcontraseña: Xk9!zz26".encode("utf-16-le")),
        ("accesos.eml", "application/octet-stream", b"Subject: FTP\n\nclave: Xk9!zz26\n"),
        ("wp-config.php", "application/x-php", b"define( 'DB_PASSWORD', 'Xk9!zz26' );\n"),
    ],
)
def test_text_files_of_many_kinds_are_read(story: Story, name: str, kind: str, content: bytes) -> None:
    story.stored.take(with_file("Mira.", content, name, kind))
    with story.stored.store.read() as tx:
        (file,) = messages.of_ticket(tx, 1)[0].attachments
        assert (file.guarded, list(vault.of_message(tx, 1).values())) == (True, ["Xk9!zz26"])


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        ("foto.png", "image/png", LIST),
        ("notas.txt", "text/plain", b"Ma\xc3\xb1ana a las 10:00 en la oficina."),
        ("largo.txt", "text/plain", b"x\n" * 70_000 + LIST),  # beyond what is read of a file
    ],
)
def test_of_other_files_nothing_is_said(story: Story, name: str, kind: str, content: bytes) -> None:
    story.stored.take(with_file("Mira.", content, name, kind))
    with story.stored.store.read() as tx:
        assert not messages.of_ticket(tx, 1)[0].attachments[0].guarded
    assert "datos de acceso" not in "".join(text for *_, text in written(story))


def test_what_was_stored_in_clear_is_covered_once(story: Story) -> None:
    story.says("ana", "El carrito no va.", subject="El carrito")
    with story.stored.store.write() as tx:
        before = messages.get(tx, 1)
        assert before is not None
        tx.run("update message set text = :text, subject = 'clave: Xk9!zz26' where id = 1", text=ASKED)
        search.forget(tx, 1, before.subject, before.text)
        search.keep(tx, 1, "clave: Xk9!zz26", ASKED)
        tx.run("update transcript set text = :text", text=ASKED)
        tx.run("update ticket set subject = 'clave: Xk9!zz26'")
        tx.run("insert into redaction (at, author, kind, number, places) values ('', '', 'entry', 1, 1)")
        tx.run("update entry set note = 'clave: Xk9!zz26' where id = 1")
        tx.run("update redaction set settled_at = ''")
        tx.run("update outbox set subject = 'Re: clave: Xk9!zz26'")
    with story.stored.store.write() as tx:
        assert covering.run(tx, story.stored.office, NOW) > 0
    with story.stored.store.write() as tx:
        assert covering.run(tx, story.stored.office, NOW) == 0
        assert vault.of_message(tx, 1) == {1: "Xk9!zz26"}
        assert not search.find(tx, "Xk9", Only())
        assert search.find(tx, "usuario", Only())
    assert stored_in_clear(story, "Xk9!zz26") == []
    assert story.ticket().subject == "clave: ⟦•••⟧"


def test_what_is_redacted_goes_from_the_vault_too_named_by_its_place_or_by_itself(story: Story) -> None:
    story.says("ana", ASKED)
    story.says("ana", "Y la clave del FTP: Ftp%9911", ticket=1)
    story.says("marta", "#redact ⟦•••1⟧", ticket=1)
    story.says("marta", "#redact Ftp%9911", ticket=1)
    with story.stored.store.read() as tx:
        assert vault.of_ticket(tx, 1) == []
        blobs = [row["id"] for row in tx.rows("select id from blob")]
        assert not any(b"Xk9!zz26" in get(tx, blob) or b"Ftp%9911" in get(tx, blob) for blob in blobs)
    assert stored_in_clear(story, "Ftp%9911") == []
    assert story.problems() == []


def test_the_number_of_what_is_gone_is_never_given_again(story: Story) -> None:
    story.says("ana", ASKED)
    story.says("marta", "#redact ⟦•••1⟧", ticket=1)
    story.says("ana", "La contraseña: Nueva7-clave", ticket=1)
    with story.stored.store.read() as tx:
        assert [number for number, _ in vault.of_ticket(tx, 1)] == [2]
        assert vault.value(tx, 1, [1]) is None


@pytest.mark.parametrize("named", ["SOP-1/1", "la clave es Xk9!zz26", "Xk9!zz26"])
def test_a_text_is_found_where_access_data_in_it_are_covered(story: Story, named: str) -> None:
    story.says("ana", "Para entrar, la clave es Xk9!zz26 y ya está.")
    story.says("marta", f"#redact {named}", ticket=1)
    with story.stored.store.read() as tx:
        assert vault.of_ticket(tx, 1) == []
        text = messages.of_ticket(tx, 1)[0].text
    assert "⟦" not in text
    assert "*****" in text
    assert text.endswith("y ya está.\n") or text.endswith("y ya está.")
    assert ("la clave es" in text) == (named != "la clave es Xk9!zz26")


def test_access_data_of_another_ticket_are_not_taken_out_by_their_number(story: Story) -> None:
    story.says("ana", ASKED)
    story.says("ana", "Otra cosa, sin nada.", subject="Otra cosa")
    story.says("marta", "#redact SOP-2/1", to=reply_address(0, MARTA))
    with story.stored.store.read() as tx:
        assert len(vault.of_ticket(tx, 1)) == 1


def test_the_client_is_told_that_access_data_are_kept_apart(story: Story) -> None:
    story.says("ana", ASKED)
    assert "solo los recibe su técnico" in story.text_of("ack")
    story.says("ana", "Nada que tapar.")
    assert "técnico" not in story.text_of("ack")


def test_a_new_key_seals_them_anew_and_without_the_old_one_they_are_gone(tmp_path: Path) -> None:
    old, new = b"o" * 32, b"n" * 32
    store = Store(tmp_path / "mailgate.db", Keyring([old]))
    with store.write() as tx:
        sealing.note(tx, tx.keyring.names, NOW)
        for number in (1, 2):
            vault.keep(tx, made(tx, number), None, {number: f"Xk9!zz{number}"})
        store.keyring.take_up(Keyring([new, old]))
        sealing.note(tx, tx.keyring.names, NOW)
        while sealing.left(tx):
            assert sealing.seal_anew(tx)
        store.keyring.take_up(Keyring([new]))
        assert vault.of_message(tx, 1) == {1: "Xk9!zz1"}
        store.keyring.take_up(Keyring([old]))
        assert vault.of_message(tx, 2) == {}
    store.close()


def test_the_line_that_redacts_keeps_what_it_names() -> None:
    covered, _ = cover(from_marta("La clave: Nueva#77\n#redact Nueva#77"), (), {}, 5)
    assert covered.text == "La clave: ⟦•••5⟧\n#redact Nueva#77\n"
