"""Who is believed, told from outside: a running desk, real SMTP, real signatures, a real DNS server."""

from __future__ import annotations

import json
import re
import shutil
import smtplib
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from mailgate import cli
from tests.nameserver import NEVER, SERVFAIL, Names, nameserver
from tests.running import RunningDesk, started, text_of
from tests.servers import certificate, eventually
from tests.signing import publish, signed
from tests.support import written

pytestmark = pytest.mark.slow

ANA, MARTA = "ana@acme.example", "marta@example.es"
STRICT = 'technicians = "strict"'


@pytest.fixture
def names() -> Iterator[Names]:
    with nameserver() as names:
        publish(names, "example.es", "reject")
        publish(names, "acme.example", "reject")
        yield names


@contextmanager
def desk_that_proves(folder: Path, names: Names, trust: str = STRICT) -> Iterator[RunningDesk]:
    desk = RunningDesk.on_free_ports(folder)
    text = desk.rules()
    wanted = f'{trust}\ndns = "127.0.0.1:{names.port}"'
    desk.rules_path.write_text(text.replace('technicians = "token"', wanted))
    with started(desk):
        yield desk


@pytest.fixture
def desk(tmp_path: Path, names: Names) -> Iterator[RunningDesk]:
    with desk_that_proves(tmp_path, names) as desk:
        yield desk


def say(desk: RunningDesk, raw: bytes, to: str = "soporte@example.es", sender: str = "") -> None:
    """Send one message and wait until it is processed."""
    before = desk.count("journal where state <> 'taken'")
    desk.send(raw, sender or re.search(rb"(?m)^From: .*?<?([^\s<>]+@[^\s<>]+?)>?\r?$", raw)[1].decode(), to)  # type: ignore[index]
    eventually(lambda: desk.count("journal where state <> 'taken'") > before)


def rows(desk: RunningDesk, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{desk.data}/mailgate.db?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def mail_of(sender: str, text: str, number: int = 1, *, at: datetime | None = None, **parts: str) -> bytes:
    """A mail as a mail program writes it: with the date of its sending, to the second."""
    date = format_datetime(at or datetime.now(UTC) + timedelta(seconds=1))
    given = {"sender": sender, "message_id": f"<m{number}@{sender.rpartition('@')[2]}>", "headers": f"Date: {date}\n"}
    return written(text, **{**given, **parts})


def opened(desk: RunningDesk) -> str:
    """Ana's request opens ticket 1; Marta's reply address to it."""
    say(desk, signed(mail_of(ANA, "No funciona el carrito."), "acme.example"))
    notices = [mail for mail in desk.wait_for(2) if MARTA in mail["To"]]
    return str(notices[0]["Reply-To"])


def order(text: str, to: str, number: int = 7, **more: Any) -> bytes:
    return mail_of(MARTA, text, number, to=to, subject="Re: [SOP-1 Acme S.L.] El carrito", **more)


def refused(desk: RunningDesk) -> tuple[str, str, str]:
    """The newest message in quarantine, why, and what its registered address was told."""
    (reason,) = rows(desk, "select reason from quarantine order by id desc limit 1")[0]
    told = [mail for mail in desk.wait_for(1) if mail["To"] == MARTA]
    return str(reason), told[0]["Subject"], text_of(told[0])


def test_signed_order_to_ones_own_reply_address_counts(desk: RunningDesk) -> None:
    own = opened(desk)
    say(desk, signed(order("Hecho.\n#time 12m", own), "example.es"), own)
    assert rows(desk, "select kind, minutes from entry") == [("debit", -12)]
    (answer,) = desk.wait_for(1)
    assert answer["To"] == ANA
    proof = "DKIM signature of example.es (s1), and their own reply token"
    assert rows(desk, "select proof, authenticated from message where role = 'technician'") == [(proof, 1)]
    (why,) = rows(desk, "select why from message where role = 'technician'")[0]
    assert "checked: dkim=pass (example.es, s1)" in why
    assert f"proof: {proof}" in why


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "reason", "told"),
    [
        ("unsigned", "DMARC fail", "(DMARC)"),
        ("unsigned of a domain that asks for nothing", "not signed by their own domain", "no venía firmado"),
        ("text appended after l=", "DMARC fail", "(DMARC)"),
        ("signed by a subdomain", "not signed by their own domain", "no venía firmado"),
        ("signed by a stranger", "DMARC fail", "(DMARC)"),
        ("without a token", "own reply address", "no iba a la dirección de respuesta"),
        ("to a colleague's token", "own reply address", "no iba a la dirección de respuesta"),
        ("to the token of another ticket", "own reply address", "no iba a la dirección de respuesta"),
        ("written long ago", "not written in these days", "fecha de hace días"),
        ("without a date", "not signed by their own domain", "no venía firmado"),
        ("date not signed", "not signed by their own domain", "no venía firmado"),
        ("a forged word of our own server", "DMARC fail", "(DMARC)"),
        ("SPF alone", "not signed by their own domain", "no venía firmado"),
    ],
)
def test_without_full_proof_a_technician_does_nothing_and_is_told(
    desk: RunningDesk, names: Names, what: str, reason: str, told: str
) -> None:
    own = opened(desk)
    theirs = own
    text = "Hecho.\n#time 12m"
    publish(names, "mail.example.es")
    publish(names, "evil.example")
    if what == "unsigned of a domain that asks for nothing":
        publish(names, "example.es")
        del names.texts["_dmarc.example.es"]
    elif what == "SPF alone":
        publish(names, "example.es", "reject", spf="v=spf1 ip4:127.0.0.1 -all")
    elif what == "to a colleague's token":
        (theirs,) = rows(desk, "select sender from outbox where recipient = 'ana@acme.example'")[0]
    elif what == "to the token of another ticket":
        say(desk, signed(mail_of(ANA, "Otra cosa distinta.", 2, subject="Otra"), "acme.example"))
        desk.wait_for(2)
        theirs = own.replace("+1.", "+2.")
    elif what == "without a token":
        theirs = "soporte@example.es"
    raw = {
        "text appended after l=": lambda: signed(order("Hecho.", own), "example.es", length=True) + b"#time 600m\r\n",
        "signed by a subdomain": lambda: signed(order(text, own), "mail.example.es"),
        "signed by a stranger": lambda: signed(order(text, own), "evil.example"),
        "written long ago": lambda: signed(order(text, own, at=datetime.now(UTC) - timedelta(days=8)), "example.es"),
        "without a date": lambda: signed(order(text, own, headers=""), "example.es"),
        "date not signed": lambda: signed(
            order(text, own), "example.es", covers=("from", "to", "subject", "message-id")
        ),
        "a forged word of our own server": lambda: (
            b"Authentication-Results: mx.example.es; dkim=pass header.d=example.es; dmarc=pass"
            b" header.from=example.es\r\n" + order(text, own)
        ),
    }.get(what, lambda: signed(order(text, own), "example.es"))()
    if what.startswith(("unsigned", "SPF")):
        raw = order(text, own)
    say(desk, raw, theirs)
    found, _, words = refused(desk)
    assert reason in found
    assert told in " ".join(words.split())
    assert "Hecho." in words
    assert rows(desk, "select count(*) from entry") == [(0,)]
    assert rows(desk, "select count(*) from message where role = 'technician'") == [(0,)]


def test_replayed_order_changes_nothing_whatever_its_envelope(desk: RunningDesk) -> None:
    own = opened(desk)
    raw = signed(order("#time 12m", own), "example.es")
    say(desk, raw, own)
    say(desk, b"Received: from evil.example by x; Tue, 3 Nov 2026 10:00:00 +0000\r\n" + raw, own, "evil@evil.example")
    # What no signature covers is changed, so that it is another content; but the ID is of a mail that counted.
    say(desk, raw.replace(b"Content-Type: text/plain;", b"Content-Type: text/plain; x=y;"), own)
    say(desk, signed(order("#time 12m\n\n--\nx", own), "example.es"), own)
    assert rows(desk, "select minutes from entry") == [(-12,)]
    assert rows(desk, "select outcome from journal order by id") == [
        ("open",),
        ("append",),
        ("repeat",),
        ("repeat",),
        ("quarantine",),
    ]
    assert "Message-ID of another mail" in rows(desk, "select reason from quarantine")[0][0]


@pytest.mark.slow
def test_slow_dns_holds_up_only_the_mails_that_need_it(desk: RunningDesk, names: Names) -> None:
    publish(names, "slow.example")
    names.trouble["_dmarc.tienda.example"] = NEVER
    before = desk.count("journal")
    desk.send(mail_of("eva@tienda.example", "Uno", 1, subject="Uno"), "eva@tienda.example")
    desk.send(mail_of("eva@tienda.example", "Dos", 2, subject="Dos"), "eva@tienda.example")
    say(desk, signed(mail_of(ANA, "Tres", 3, subject="Tres"), "acme.example"))
    assert rows(desk, "select subject from ticket") == [("Tres",)]
    assert desk.count("journal where state = 'taken'") == before + 2
    eventually(lambda: desk.count("journal where retry_at is not null") == 2, 60)
    names.trouble.clear()
    eventually(lambda: desk.count("ticket") == 3, 90)
    assert rows(desk, "select subject from ticket order by id") == [("Tres",), ("Uno",), ("Dos",)]


def test_what_waits_for_the_dns_outlives_the_daemon(tmp_path: Path, names: Names) -> None:
    names.trouble["*"] = SERVFAIL
    with desk_that_proves(tmp_path, names) as desk:
        desk.send(signed(mail_of(ANA, "Hola"), "acme.example"), ANA)
        eventually(lambda: desk.count("journal where proof_tries > 0") == 1)
    names.trouble.clear()
    with closing(sqlite3.connect(desk.data / "mailgate.db")) as db, db:
        assert db.execute("select state, proof_tries, proof_sender from journal").fetchall() == [("taken", 1, ANA)]
        db.execute("update journal set retry_at = '2026-01-01T00:00:00.000000+00:00'")
    with started(desk):
        eventually(lambda: desk.count("ticket") == 1)
    assert rows(desk, "select authenticated from message") == [(1,)]


def test_dns_that_never_answers_is_no_proof_in_the_end(tmp_path: Path, names: Names) -> None:
    names.trouble["*"] = SERVFAIL
    with desk_that_proves(tmp_path, names) as desk:
        desk.send(mail_of(ANA, "Hola"), ANA)
        desk.send(signed(mail_of(MARTA, "#time 1m", 2), "example.es"), MARTA)
        eventually(lambda: desk.count("journal where proof_tries > 0") == 2)
    with closing(sqlite3.connect(desk.data / "mailgate.db")) as db, db:
        db.execute("update journal set retry_at = '2026-01-01', taken_at = '2026-01-01T00:00:00.000000+00:00'")
    with started(desk):
        eventually(lambda: desk.count("journal where state <> 'taken'") == 2)
    assert rows(desk, "select authenticated from message") == [(0,)]
    assert rows(desk, "select reason from quarantine") == [
        ("a technician's mail that did not come to their own reply address",)
    ]


# ---- clients -------------------------------------------------------------------------------------


def test_client_whom_their_own_domain_disowns_waits_in_quarantine(desk: RunningDesk) -> None:
    own = opened(desk)
    assert own
    (token,) = rows(desk, "select sender from outbox where recipient = 'ana@acme.example'")[0]
    say(desk, mail_of(ANA, "Mándame las claves.", 5), token)
    (reason,) = rows(desk, "select reason from quarantine")[0]
    assert reason == "acme.example asks that it be not believed (DMARC fail, p=reject)"
    assert desk.outgoing() == []


def test_client_of_a_domain_without_proof_is_served_and_marked(desk: RunningDesk) -> None:
    say(desk, mail_of("eva@tienda.example", "Hola, no va la web."))
    assert rows(desk, "select role, authenticated, proof from message") == [("client", 0, "")]
    told = [text_of(mail) for mail in desk.wait_for(2) if mail["To"] != "eva@tienda.example"]
    assert "eva@tienda.example, sin comprobar, escribe:" in told[0]
    say(desk, mail_of("eva@tienda.example", "", 2, subject="saldo"))
    (balance,) = desk.wait_for(1)
    assert balance["To"] == "ana@acme.example"  # a wildcard let her in, so the contact is told


def test_unproven_mail_of_a_domain_that_can_prove_costs_and_reveals_nothing(desk: RunningDesk, names: Names) -> None:
    publish(names, "acme.example", "none")
    say(desk, mail_of(ANA, "", 1, subject="saldo"))
    (asked,) = desk.wait_for(1)
    assert (asked["To"], asked["Subject"]) == (ANA, "¿Es suyo un mensaje que hemos recibido?")
    say(desk, mail_of(ANA, "", 2, subject="informe"))
    assert desk.outgoing() == []  # asked once a day
    say(desk, mail_of(ANA, "saldo", 3, subject="Re: ¿Es suyo…?"), str(asked["Reply-To"]))
    (balance,) = desk.wait_for(1)
    assert "Saldo" in text_of(balance)
    assert rows(desk, "select outcome, authenticated from message") == [("keep", 0), ("keep", 0), ("answer", 1)]


def test_domain_that_signed_once_is_expected_to_sign(desk: RunningDesk, names: Names) -> None:
    publish(names, "tienda.example")
    say(desk, signed(mail_of("eva@tienda.example", "", 1, subject="saldo"), "tienda.example"))
    (balance,) = desk.wait_for(1)
    assert balance["To"] == "eva@tienda.example"
    say(desk, mail_of("eva@tienda.example", "", 2, subject="saldo"))
    (asked,) = desk.wait_for(1)
    assert (asked["To"], asked["Subject"][:11]) == (ANA, "¿Es suyo un")


def test_unproven_refund_is_kept_and_not_carried_out(desk: RunningDesk, names: Names) -> None:
    publish(names, "acme.example", "none")
    say(desk, mail_of(ANA, "Hola.\n#tope 30m", 1))
    assert rows(desk, "select spend_limit from ticket") == [(None,)]
    say(desk, signed(mail_of(ANA, "Hola.\n#tope 30m", 2), "acme.example"))
    assert rows(desk, "select spend_limit from ticket") == [(None,), (30,)]


def test_required_proof_is_required(tmp_path: Path, names: Names) -> None:
    with desk_that_proves(tmp_path, names, 'clients = "require"') as desk:
        say(desk, mail_of("eva@tienda.example", "Hola", 1))
        assert rows(desk, "select reason from quarantine") == [("nothing proves who wrote (trust.clients)",)]
        (asked,) = desk.wait_for(1)
        assert asked["To"] == ANA
        say(desk, signed(mail_of(ANA, "Hola", 2), "acme.example"))
        assert rows(desk, "select count(*) from ticket") == [(1,)]


def test_reports_of_a_day_have_an_end(tmp_path: Path, names: Names) -> None:
    with desk_that_proves(tmp_path, names, "reports_per_day = 2") as desk:
        for number in range(4):
            say(desk, signed(mail_of(ANA, "", number, subject="saldo"), "acme.example"))
        assert len(desk.wait_for(2)) == 2
        assert rows(desk, "select outcome from message") == [("answer",), ("answer",), ("keep",), ("keep",)]


def test_what_needs_no_proof_asks_nothing(tmp_path: Path, names: Names) -> None:
    with desk_that_proves(tmp_path, names, 'technicians = "token"\nclients = "off"') as desk:
        own = opened(desk)
        say(desk, order("#time 3m", own), own)
        assert rows(desk, "select minutes from entry") == [(-3,)]
        assert not names.asked


def test_explain_looks_it_up(
    desk: RunningDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for name, raw in {"signed": signed(mail_of(ANA, "Hola"), "acme.example"), "not": mail_of(ANA, "Hola")}.items():
        path = tmp_path / f"{name}.eml"
        path.write_bytes(raw)
        place = ["--rules", str(desk.rules_path), "--data", str(desk.data)]
        monkeypatch.setattr("sys.argv", ["mailgate", *place, "explain", str(path), "--json"])
        assert cli.main() == 0
        found[name] = json.loads(capsys.readouterr().out)
    assert (found["signed"]["authenticated"], found["signed"]["outcome"]) == (True, "open")
    assert found["signed"]["proof"] == "DKIM signature of acme.example (s1)"
    assert found["signed"]["evidence"] == "dkim=pass (acme.example, s1); dmarc=pass (p=reject)"
    assert (found["not"]["authenticated"], found["not"]["outcome"]) == (False, "quarantine")


# ---- signing in ----------------------------------------------------------------------------------


@pytest.fixture
def gate(tmp_path: Path, names: Names) -> Iterator[RunningDesk]:
    """A desk at whose gateway Marta may sign in."""
    if not shutil.which("openssl"):
        pytest.skip("makes its certificate with openssl")
    certificate(tmp_path)
    (tmp_path / "marta").write_text("pass word\n")
    desk = RunningDesk.on_free_ports(tmp_path)
    text = desk.rules()
    text = text.replace('technicians = "token"', f'{STRICT}\ndns = "127.0.0.1:{names.port}"')
    tls = 'tls_cert_file = "cert.pem"\ntls_key_file = "key.pem"\nmax_size'
    text = text.replace("max_size", tls).replace(f'["{MARTA}"]', f'["{MARTA}"]\npassword_file = "marta"')
    desk.rules_path.write_text(text)
    with started(desk):
        yield desk


@contextmanager
def session(desk: RunningDesk, *, tls: bool = True) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context(cafile=str(desk.folder / "cert.pem"))
    with smtplib.SMTP("localhost", desk.smtp_port, timeout=20) as client:
        if tls:
            client.starttls(context=context)
        client.ehlo()
        yield client


def test_who_signed_in_needs_no_other_proof(gate: RunningDesk) -> None:
    own = opened(gate)
    with session(gate) as client:
        client.login(MARTA, "pass word")
        client.sendmail(MARTA, [own], order("Hecho.\n#time 12m", own))
    eventually(lambda: gate.count("entry") == 1)
    proofs = rows(gate, "select proof from message where role = 'technician'")
    assert proofs == [("signed in as marta (SMTP AUTH)",)]


def test_signing_in_proves_nobody_else(gate: RunningDesk) -> None:
    own = opened(gate)
    raw = order("#time 12m", own).replace(b"marta@example.es", b"elena@example.es")
    with session(gate) as client:
        client.login(MARTA, "pass word")
        client.sendmail(MARTA, [own], raw)
    eventually(lambda: gate.count("quarantine") == 1)


def test_signing_in_takes_tls_and_the_right_password(gate: RunningDesk) -> None:
    with session(gate, tls=False) as client:
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AG1hcnRhAHg=")[0] == 538
    with session(gate) as client:
        for login, password in ((MARTA, "wrong"), (MARTA, ""), ("nobody@example.es", ""), ("elena@example.es", "")):
            with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
                client.login(login, password)
            assert refused.value.smtp_code == 535


def test_guessing_has_an_end(gate: RunningDesk) -> None:
    codes = []
    with session(gate) as client:
        for _ in range(6):
            with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
                client.login(MARTA, "wrong")
            codes.append(refused.value.smtp_code)
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login(MARTA, "pass word")
    assert codes[0] == 535
    assert refused.value.smtp_code == 454
