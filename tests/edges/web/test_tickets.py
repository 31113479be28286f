"""Tickets in the client area: what is written goes the way of a mail; what is shown is what its reader may see."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from mailgate.core.model import Kind, MatterKind, Status
from mailgate.store import entries, looks, matters, messages, retention, tickets
from tests.edges.web.area import Area, send
from tests.service.test_vault import LIST, with_file
from tests.support import NOW, reply_address, written

ANA = "ana@acme.example"
MARTA = "marta@example.es"
ELENA = "elena@example.es"


def from_marta(area: Area, text: str, number: int = 1) -> None:
    """Marta writes in the ticket, by mail."""
    area.stored.take(
        written(
            text,
            sender=f"Marta Gil <{MARTA}>",
            to=reply_address(1, MARTA),
            subject="Re: [SOP-1 Acme S.L.] El carrito",
            message_id=f"<a{number}@example.es>",
            headers="Date: Tue, 03 Nov 2026 12:00:00 +0100\n",
        ),
        area.now,
    )


def templates(area: Area) -> list[str]:
    return [mail.template for mail in area.stored.mails() if mail.template != "sign_in"]


def asked(area: Area, text: str = "Hola:\n\nNo funciona el carrito.") -> TestClient:
    """Ana's browser, and her new request."""
    browser = area.signed_in(ANA)
    assert (
        send(browser, "/new", "/new", {"subject": "El carrito", "text": text})
        .headers["location"]
        .startswith("/tickets/1")
    )
    return browser


def test_a_new_request_goes_the_way_of_a_mail(area: Area) -> None:
    browser = asked(area)
    assert templates(area) == ["ack", "notice"]
    with area.stored.store.read() as tx:
        (said,) = messages.of_ticket(tx, 1)
        source = tx.value("select source from journal")
    assert (said.author, said.authenticated, source) == (ANA, True, "web")
    assert "signed in to the client area" in said.why
    page = browser.get("/tickets/1").text
    assert "No funciona el carrito." in page
    assert "El carrito" in browser.get("/").text
    assert "El carrito" in browser.get("/tickets").text


def test_a_form_that_is_sent_twice_counts_once(area: Area) -> None:
    browser = area.signed_in(ANA)
    page = browser.get("/new").text
    form = {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[0] for name in ("csrf", "once")}
    form |= {"subject": "El carrito", "text": "No funciona."}
    for _ in range(2):
        assert browser.post("/new", data=form).status_code == 303
    with area.stored.store.read() as tx:
        assert tickets.count(tx) == 1


def test_a_request_without_words_is_not_sent_and_keeps_its_subject(area: Area) -> None:
    answer = send(area.signed_in(ANA), "/new", "/new", {"subject": "El carrito", "text": " \n"})
    assert answer.status_code == 422
    assert 'value="El carrito"' in answer.text
    assert templates(area) == []


def test_an_answer_with_files_reaches_the_technician_byte_for_byte(area: Area) -> None:
    browser = asked(area)
    files = {"files": ("Captura de pantalla.png", b"\x89PNG\r\n\x1a\n\0\xff", "image/png")}
    send(browser, "/tickets/1", "/tickets/1/answer", {"text": "Aquí se ve.", "once": ""}, files=files)
    assert b"Captura" in area.stored.raws()[-1]
    page = browser.get("/tickets/1").text
    path = re.findall(r'href="(/messages/2/files/\d+)"', page)[0]
    file = browser.get(path)
    assert file.content == b"\x89PNG\r\n\x1a\n\0\xff"
    assert file.headers["content-disposition"].startswith('attachment; filename="Captura_de_pantalla.png"')
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-security-policy"].startswith("sandbox")


def test_a_question_in_a_request_is_answered_by_mail(area: Area) -> None:
    answer = send(area.signed_in(ANA), "/new", "/new", {"subject": "saldo", "text": "gracias"})
    assert answer.headers["location"] == "/received"
    assert templates(area) == ["balance"]


def test_a_client_disputes_an_entry_once_in_the_words_of_a_mail(area: Area) -> None:
    area.stored.book(240)
    browser = asked(area)
    from_marta(area, "Ya está.\n\n#time 12m El carrito")
    assert "Reclamar" in browser.get("/tickets/1").text
    reason = "No fueron 12 {minutos}:\r\n345 y 346, sino 5."
    send(browser, "/tickets/1", "/tickets/1/dispute", {"entry": "2", "reason": reason})
    with area.stored.store.read() as tx:
        (open_one,) = matters.open_of_client(tx, "acme")
    assert (open_one.kind, open_one.entry, open_one.reason) == (
        MatterKind.DISPUTE,
        2,
        "No fueron 12 (minutos): 345 y 346, sino 5.",
    )
    assert {"dispute_opened", "dispute_asked"} <= set(templates(area))
    page = browser.get("/tickets/1").text
    assert "reclamado" in page
    assert 'name="entry"' not in page
    assert (
        send(browser, "/tickets/1", "/tickets/1/dispute", {"entry": "2"}).headers["location"].endswith("done=disputed")
    )


def test_an_entry_of_somebody_else_or_elsewhere_cannot_be_disputed(area: Area) -> None:
    area.stored.book(240)
    area.stored.book(240, client="beta")
    browser = asked(area)
    for entry in ("1", "2", "99", "x", "-1", ""):
        assert send(browser, "/tickets/1", "/tickets/1/dispute", {"entry": entry}).status_code == 404
    assert "dispute_opened" not in templates(area)


def test_the_money_is_asked_back_in_the_words_of_a_mail(area: Area) -> None:
    area.stored.book(240, package="4h", price="160.00 EUR")
    browser = area.signed_in(ANA)
    send(browser, "/new", "/refund", {"reason": "No lo usamos."})
    with area.stored.store.read() as tx:
        (open_one,) = matters.open_of_client(tx, "acme")
    assert open_one.kind is MatterKind.REFUND
    assert {"refund_asked", "refund_request"} <= set(templates(area))


def test_an_estimate_is_approved_by_a_button(area: Area) -> None:
    area.stored.book(240)
    browser = asked(area)
    from_marta(area, "Son unas horas.\n\n#estimate 90m ask")
    page = browser.get("/tickets/1").text
    assert "Espera su visto bueno" in page
    send(browser, "/tickets/1", "/tickets/1/answer", {"text": "ok"})
    assert "Espera su visto bueno" not in browser.get("/tickets/1").text
    assert "estimate_approved" in templates(area)


def test_what_is_internal_is_for_the_desk_alone(area: Area) -> None:
    browser = asked(area)
    from_marta(area, "El cliente se equivoca otra vez.\n\n#note")
    assert "se equivoca" not in browser.get("/tickets/1").text
    assert browser.get("/messages/2").status_code == 404
    assert "se equivoca" in area.signed_in(MARTA).get("/tickets/1").text


def test_what_a_technician_sent_is_shown_without_its_commands_and_never_whole(area: Area) -> None:
    area.stored.book(240)
    browser = asked(area)
    from_marta(area, "Ya está.\n\n#time 12m")
    page = browser.get("/tickets/1").text
    assert "Ya está." in page
    assert "#time" not in page
    assert browser.get("/messages/2").status_code == 404
    assert "#time 12m" in area.signed_in(MARTA).get("/messages/2").text


def test_a_technician_answers_with_commands_and_the_guard_holds_back_what_crossed(area: Area) -> None:
    area.stored.book(240)
    asked(area)
    marta = area.signed_in(MARTA)
    send(marta, "/tickets/1", "/tickets/1/answer", {"text": "Ya está.\n\n#time 12m"})
    with area.stored.store.read() as tx:
        assert [entry.minutes for entry in entries.of_ticket(tx, 1)] == [-12]
        ticket = tickets.get(tx, 1)
    assert ticket is not None
    assert ticket.status is Status.WAITING
    assert templates(area)[-1] == "answer"
    page = marta.get("/tickets/1").text  # she looks, and the client writes
    form = {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[0] for name in ("csrf", "once")}
    area.pass_by(minutes=5)
    area.stored.take(
        written("Sigue igual.", subject="Re: El carrito [SOP-1]", message_id="<m9@acme.example>"), area.now
    )
    marta.post("/tickets/1/answer", data={**form, "text": "Me alegro de que ya vaya."})
    assert templates(area)[-1] == "held"


def test_access_data_are_covered_until_asked_for_and_asking_is_recorded(area: Area) -> None:
    browser = asked(area, "Usuario: ana\nContraseña: hunter2!\n\nGracias.")
    page = browser.get("/tickets/1").text
    assert "hunter2" not in page
    assert "Usuario: ana" in page
    assert "hunter2" not in browser.get("/messages/1").text
    assert browser.get("/messages/1/html").status_code == 404
    marta = area.signed_in(MARTA)
    assert "hunter2!" in send(marta, "/tickets/1", "/messages/1/reveal").text
    assert "hunter2" not in marta.get("/tickets/1").text
    assert "hunter2!" in marta.get("/messages/1").text
    assert "hunter2" not in browser.get("/messages/1").text  # who asked is who sees it
    area.pass_by(minutes=11)
    assert "hunter2" not in marta.get("/messages/1").text
    with area.stored.store.read() as tx:
        assert [(look.address, look.message) for look in looks.of_ticket(tx, 1, 9)] == [(MARTA, 1)]
    assert MARTA in area.signed_in(ELENA).get("/tickets/1").text


def test_a_file_with_access_data_is_for_who_has_asked_to_see_them(area: Area) -> None:
    area.stored.take(with_file("Te paso los accesos.", LIST))
    browser, marta = area.signed_in(ANA), area.signed_in(MARTA)
    for one in (browser, marta):
        assert "lleva datos de acceso" in one.get("/tickets/1").text
        refused = one.get("/messages/1/files/2", follow_redirects=True)
        assert LIST not in refused.content
        assert "Mostrar los datos de acceso" in refused.text
        assert one.get("/messages/1/raw").status_code == 404
    send(marta, "/tickets/1", "/messages/1/reveal")
    assert marta.get("/messages/1/files/2").content == LIST
    assert LIST not in browser.get("/messages/1/files/2").content
    with area.stored.store.read() as tx:
        assert [look.address for look in looks.of_ticket(tx, 1, 9)] == [MARTA]


HTML = """\
From: Ana <ana@acme.example>
To: soporte@example.es
Subject: Con HTML
Message-ID: <h1@acme.example>
MIME-Version: 1.0
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p onclick="evil()">Hola <b>negrita</b></p><script>evil()</script><style>p{color:red}</style>
<img src="https://track.example/x.png"><img src="cid:foto@acme"><img src="data:text/html,evil">
<form action="https://evil.example"><input name=x></form><a href="javascript:evil()">pulse</a>
<iframe src="https://evil.example"></iframe><object data=x></object><base href="https://evil.example/">
<meta http-equiv="refresh" content="0;url=https://evil.example"><svg onload=evil()></svg>
--b
Content-Type: image/png; name="foto.png"
Content-ID: <foto@acme>
Content-Disposition: inline
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b--
"""


def test_html_is_shown_in_a_sandbox_without_what_acts_or_comes_from_outside(area: Area) -> None:
    area.stored.take(HTML.encode())
    browser = area.signed_in(ANA)
    page = browser.get("/messages/1").text
    assert '<iframe sandbox src="/messages/1/html"' in page
    frame = browser.get("/messages/1/html")
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-" not in policy
    assert frame.headers["x-frame-options"] == "SAMEORIGIN"
    assert "<b>negrita</b>" in frame.text
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in frame.text
    for bad in (
        "evil",
        "track.example",
        "onclick",
        "<script",
        "<form",
        "<iframe",
        "<object",
        "<base",
        "<meta http",
        "<svg",
    ):
        assert bad not in frame.text, bad


def test_a_long_conversation_is_shown_in_pages_that_stay_small(area: Area) -> None:
    browser = asked(area)
    for number in range(45):
        from_marta(area, f"Nota {number}. " + "palabra " * 900 + "\n#note", number)
    area.stored.take(written("x " * 500_000, subject="Re: [SOP-1] El carrito", message_id="<big@acme.example>"))
    marta = area.signed_in(MARTA)
    page, seen = "/tickets/1", 0
    for _ in range(60):
        answer = marta.get(page)
        assert len(answer.content) < 60_000
        seen += answer.text.count('class="message')
        found = re.search(r'href="(/tickets/1\?from=\d+)"', answer.text)
        if not found:
            break
        page = found[1]
    assert seen == 47
    assert len(browser.get("/messages/47").content) < 60_000


def test_tickets_are_listed_in_pages(area: Area) -> None:
    for number in range(65):
        area.stored.take(
            written(f"Hola {number}", subject=f"Asunto {number}", message_id=f"<n{number}@acme.example>"), NOW
        )
    browser = area.signed_in(ANA)
    page, seen = "/tickets", []
    while page:
        text = browser.get(page).text
        seen += re.findall(r'class="title" href="/tickets/(\d+)"', text)
        found = re.search(r'href="([^"]+)" rel="next"', text)
        page = found[1] if found else ""
    assert seen == [str(number) for number in range(65, 0, -1)]
    assert "Asunto 3" not in browser.get("/tickets?status=closed").text


def test_minutes_left_and_spent_this_month_are_on_the_first_page(area: Area) -> None:
    area.stored.book(240)
    browser = asked(area)
    from_marta(area, "Ya está.\n\n#time 12m")
    area.stored.book(-30, Kind.DEBIT, worked=30, ticket=1, technician="marta", day=NOW.date().replace(month=10))
    page = browser.get("/").text
    assert '<p class="big">3 h 18 min</p>' in page
    assert '<p class="big">12 min</p>' in page


def test_pages_stay_small_whatever_a_message_holds(area: Area) -> None:
    subject, names = (
        "«á»&" * 900,
        "".join(f'--b\nContent-Type: image/png; name="{n}{"&" * 99}.png"\n\nx\n' for n in range(300)),
    )
    raw = written('"<&' * 90_000 + "\n", subject=subject, message_id="<odd1@acme.example>")
    area.stored.take(raw)
    head = raw.partition(b"MIME-Version")[0].replace(b"odd1", b"odd2")
    body = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhola\n"
    area.stored.take(head + (body + names + "--b--\n").encode())
    for who in (ANA, ELENA):
        browser = area.signed_in(who)
        for path in ("/tickets", "/tickets/1", "/tickets/2", "/messages/1", "/messages/2", "/search?q=hola"):
            answer = browser.get(path)
            assert answer.status_code == 200
            assert len(answer.content) < 60_000, path
    assert area.signed_in(ANA).get("/messages/1/raw").content == raw


def test_numbers_that_nothing_can_have_are_no_failure(area: Area) -> None:
    browser = asked(area)
    for odd in ("²", "9" * 30, "-1", "1e3", "", "%00"):
        for path in ("/tickets?before=", "/tickets/1?from=", "/reports?page="):
            assert browser.get(path + odd).status_code == 200, path + odd
        for path in ("/tickets/", "/messages/", "/messages/1/files/"):
            assert browser.get(path + (odd or "x")).status_code == 404, path + odd


def test_of_a_mail_that_is_kept_no_longer_the_page_says_so_and_leads_nowhere(area: Area) -> None:
    browser = asked(area)
    assert 'href="/messages/1"' in browser.get("/tickets/1").text
    with area.stored.store.write() as tx:
        (message,) = messages.of_ticket(tx, 1)
        retention.remove_raw(tx, message.blob or 0)
    page = browser.get("/tickets/1").text
    assert "ya no se guarda" in page
    assert "No funciona el carrito." in page
    assert 'href="/messages/1"' not in page
    assert [browser.get(f"/messages/1{end}").status_code for end in ("", "/raw", "/html", "/files/1")] == [404] * 4
