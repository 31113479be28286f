from __future__ import annotations

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.message.automatic import Automatic, automatic

DESKS = ["soporte@example.es", "ayuda@example.es"]


def judge(*fields: str, text: str = "Hola", envelope: Envelope | None = None) -> Automatic | None:
    written = {field.partition(":")[0].lower() for field in fields}
    author = [] if "from" in written else ["From: Ana <ana@acme.example>"]
    raw = "\r\n".join([*author, "To: soporte@example.es", *fields, "", text]).encode()
    return automatic(mime.parse(raw, envelope or Envelope("inject")), DESKS)


def kind(*fields: str, text: str = "Hola", envelope: Envelope | None = None) -> str | None:
    found = judge(*fields, text=text, envelope=envelope)
    return found.kind if found else None


@pytest.mark.parametrize(
    "fields",
    [
        ("Subject: La web está caída",),
        ("Auto-Submitted: no",),
        ("Auto-Submitted: No (a person wrote this)",),
        ("Auto-Submitted: (comment) no",),
        ("X-Auto-Response-Suppress: DR, RN, NRN",),
        ("Precedence: first-class",),
        ("Delivered-To: soporte@example.es", "Return-Path: <ana@acme.example>"),
        ("From: Ana <ana+web@acme.example>",),
        ("From: rootbeer@acme.example",),
        ("From: postmasters@acme.example",),
        ("Subject: Re: Fuera de la oficina: no entra la VPN", "In-Reply-To: <1@example.es>"),
        ("Subject: Fuera de la oficina: no entra la VPN",),
        ("Subject: Respuesta automática: ¿cómo la pongo?",),
        ("Subject: Ausente",),
        ("Subject: Ausente el lunes", "In-Reply-To: <1@example.es>"),
        ("Subject: Autobús no aparece en la web", "In-Reply-To: <1@example.es>"),
        ("Subject: Read: only file system",),
        ("Subject: Reading: hours", "In-Reply-To: <1@example.es>"),
        ("Subject: Mail delivery failed",),
        ("Subject: Fwd: Undelivered Mail Returned to Sender",),
        ("Subject: RV: No se puede entregar: factura",),
        ("Content-Type: multipart/mixed; boundary=x",),
    ],
)
def test_mail_of_a_person_is_not_automatic(fields: tuple[str, ...]) -> None:
    text = "Desde ayer sale el error 550 5.1.1 user unknown; recibo un mensaje automático. Estoy fuera."
    assert judge(*fields, text=text) is None


@pytest.mark.parametrize(
    "fields",
    [
        ("X-Mailgate-Loop: 1.abc",),
        ("From: Soporte <SOPORTE@example.es>",),
        ("From: ayuda@example.es",),
        ("From: soporte+12.aaaaaaaaaaaaaaaaaaaa@example.es",),
        ("From: ana@acme.example, soporte@example.es",),
        ("From: soporte@example.es (Soporte)",),
        ("Return-Path: <soporte@example.es>",),
        ("X-Loop: soporte@example.es",),
    ],
)
def test_mail_of_the_desk_itself_is_own(fields: tuple[str, ...]) -> None:
    assert kind(*fields, "Auto-Submitted: auto-replied") == "own"


def test_envelope_sender_of_the_desk_is_own() -> None:
    assert kind(envelope=Envelope("smtp", "soporte+bounce@example.es")) == "own"


@pytest.mark.parametrize(("hops", "found"), [(100, None), (101, "own")])
def test_mail_that_goes_round_in_circles_is_own(hops: int, found: str | None) -> None:
    assert kind(*["Received: from x"] * hops) == found


@pytest.mark.parametrize(
    ("report", "found"),
    [
        ("; report-type=delivery-status", "bounce"),
        ("; report-type=Global-Delivery-Status", "bounce"),
        ('; report-type="disposition-notification"', "mdn"),
        ("; report-type=feedback-report", "feedback"),
        ("; report-type=other", "auto-generated"),
        ("", "auto-generated"),
    ],
)
def test_report_is_known_by_its_type(report: str, found: str) -> None:
    assert kind(f"Content-Type: multipart/report{report}; boundary=x", text="--x\r\n\r\nHola\r\n--x--") == found


@pytest.mark.parametrize(("sender", "found"), [("", "bounce"), ("ana@acme.example", None)])
def test_machine_readable_part_counts_only_in_the_mail_of_a_robot(sender: str, found: str | None) -> None:
    """A client may hand a bounce on, with its parts."""
    text = "--x\r\n\r\nMira esto\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n--x--"
    envelope = Envelope("smtp", sender)
    assert kind("Content-Type: multipart/mixed; boundary=x", text=text, envelope=envelope) == found


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (("X-Failed-Recipients: luis@b.example",), "Hola"),
        (("X-MS-Exchange-Message-Is-Ndr:",), "Hola"),
        (("From: MAILER-DAEMON@b.example (Mail Delivery System)", "Subject: Undelivered Mail"), "Hola"),
        (("From: Mail Delivery Subsystem <MAILER-DAEMON>", "Subject: Returned mail: x"), "Hola"),
        (("Return-Path: <>",), "Hi. This is the qmail-send program at b.example."),
        (("Return-Path: <>",), "550 5.1.1 <luis@b.example>: user unknown"),
        (("From: postmaster@b.example",), "El mensaje no se ha podido entregar a luis@b.example"),
    ],
)
def test_bounce_from_before_the_standard_is_known(fields: tuple[str, ...], text: str) -> None:
    assert kind(*fields, text=text) == "bounce"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (("Auto-Submitted: auto-replied (vacation)",), "auto-reply"),
        (("Auto-Submitted: Auto-Replied; owner-email=x",), "auto-reply"),
        (("Auto-Submitted: (no) auto-replied",), "auto-reply"),
        (("Auto-Submitted: auto-generated",), "auto-generated"),
        (("Auto-Submitted: auto-notified",), "auto-generated"),
        (("Auto-Submitted: no", "Auto-Submitted: auto-generated"), "auto-generated"),
        (("X-Autoreply: yes",), "auto-reply"),
        (("X-MS-Exchange-Inbox-Rules-Loop: x", "Auto-Submitted: auto-generated"), "auto-reply"),
        (("X-Apple-Action: VACATION",), "auto-reply"),
        (("X-POST-MessageClass: 9; Autoresponder",), "auto-reply"),
        (("Precedence: auto_reply",), "auto-reply"),
        (("X-Auto-Response-Suppress: All",), "auto-generated"),
        (("X-Auto-Response-Suppress: DR, OOF, AutoReply",), "auto-generated"),
        (("X-AutoGenerated: yes",), "auto-generated"),
        (("Content-Class: urn:content-classes:mdn",), "mdn"),
        (("Precedence: Bulk",), "bulk"),
        (("Precedence: list",), "bulk"),
        (("List-Id: <x.example>",), "bulk"),
        (("List-Unsubscribe: <mailto:x@y>",), "bulk"),
        (("Mailing-List: x",), "bulk"),
        (("X-Campaign-Id: 3",), "bulk"),
        (("Return-Path: <>",), "auto-generated"),
        (("From: no-reply@b.example",), "auto-generated"),
        (("From: noreply+12@b.example",), "auto-generated"),
        (("From: No_Responder@b.example",), "auto-generated"),
        (("From: root@b.example (Cron Daemon)",), "auto-generated"),
        (("Return-Path: <lista-bounces@b.example>",), "auto-generated"),
        (("Return-Path: <owner-lista@b.example>",), "auto-generated"),
    ],
)
def test_robot_that_says_so_is_believed(fields: tuple[str, ...], found: str) -> None:
    assert kind(*fields) == found


def test_forwarding_that_rewrites_the_envelope_does_not_make_a_robot() -> None:
    assert judge(envelope=Envelope("smtp", "bounces+SRS=ab=cd@acme.example")) is None


def test_peers_word_on_the_sender_counts_before_return_path() -> None:
    assert judge("Return-Path: <>", envelope=Envelope("smtp", "ana@acme.example")) is None
    assert kind("Return-Path: <ana@acme.example>", envelope=Envelope("smtp", "")) == "auto-generated"


@pytest.mark.parametrize(
    "fields",
    [
        ("Subject: Fuera de la oficina: Re: [SOP-25] Correos",),
        ("Subject: Respuesta automática: [SOP-12] Banner",),
        ("Subject: Respuesta automática: Banner", "In-Reply-To: <1@example.es>"),
        ("Subject: Automatic reply: Banner", "References: <1@example.es>"),
        ("Subject: Auto reply: Re: x",),
        ("Subject: Out of Office", "In-Reply-To: <1@example.es>"),
        ("Subject: AUSENTE", "In-Reply-To: <1@example.es>"),
    ],
)
def test_vacation_reply_without_headers_is_known_where_it_answers_something(fields: tuple[str, ...]) -> None:
    assert kind(*fields) == "auto-reply"


def test_read_receipt_without_headers_is_known_where_it_answers_something() -> None:
    assert kind("Subject: =?utf-8?q?Le=C3=ADdo=3A?= Banner", "In-Reply-To: <1@example.es>") == "mdn"


def test_verdict_says_its_reason() -> None:
    assert str(judge("List-Id: <x.example>")) == "bulk: list-id"
