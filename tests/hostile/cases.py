"""Hostile and odd mails, each with what must become of it, whatever road it comes by.

Ana (ana@acme.example) is a client, Marta a technician, mal@evil.example nobody. Numbers of threats are in the names
where there are any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailgate.core.message.parts import MAX_DEPTH, MAX_PARTS

ANA, MAL = "ana@acme.example", "mal@evil.example"
NOBODY = "From does not name exactly one plain address"
STRANGER = f"{MAL} is nobody that the rules know"
UNSAFE = "cannot be read safely: "
TWO_WAYS = "cannot be read in one way only: "


@dataclass(frozen=True)
class Case:
    """A mail and its outcome.

    reason: how it begins, of what waits in quarantine. code: SMTP's answer to the data; what it refuses, IMAP leaves
    in the mailbox. by_imap: whether a server hands out these bytes as they are: NUL it may not (RFC 9051 section 4.3),
    and of a bare CR Dovecot makes a line end.
    """

    name: str
    raw: bytes
    outcome: str = "open"
    reason: str = ""
    code: int = 250
    by_imap: bool = True


def every() -> list[Case]:
    return [*senders(), *double_meanings(), *sizes(), *look_alikes(), *dates_and_ids(), *forgeries(), *honest()]


def mail(
    name: str, sender: bytes = b"From: ana@acme.example\r\n", more: bytes = b"", body: bytes = b"Hola.\r\n"
) -> bytes:
    """A mail with a Message-ID that its name gives. more: header fields."""
    identity = f"Message-ID: <{name.replace(' ', '.')}@case.example>\r\n".encode()
    return sender + b"To: soporte@example.es\r\nSubject: El carrito\r\n" + identity + more + b"\r\n" + body


def senders() -> Iterator[Case]:
    """Which address is the author's: threats, part 8.1."""
    for name, value in {
        "address before brackets": b"ana@acme.example <mal@evil.example>",
        "two mailboxes": b"ana@acme.example, mal@evil.example",
        "group": b"amigos: ana@acme.example, mal@evil.example;",
        "group of one": b"amigos: ana@acme.example;",
        "two brackets": b"<ana@acme.example><mal@evil.example>",
        "semicolon": b"ana@acme.example; mal@evil.example",
        "comment with brackets": b"ana@acme.example(<mal@evil.example>)",
        "comments inside": b"ana(x)@acme.example(.evil.example)",
        "route": b"<@acme.example:mal@evil.example>",
        "encoded address": b"=?utf-8?q?ana=40acme.example?=",
        "encoded address in brackets": b"<=?utf-8?q?ana=40acme.example?=>",
        "quoted local part": b'"ana"@acme.example',
        "nested comments": b"(" * 900 + b")" * 900 + b" ana@acme.example",
        "form feed": b"\x0cana@acme.example",
        "dot at the end": b"ana@acme.example.",
        "address literal": b"ana@[192.0.2.1]",
        "nothing": b"",
        "no domain": b"ana",
    }.items():
        yield Case(f"From, {name}", mail(name, b"From: " + value + b"\r\n"), "quarantine", NOBODY)
    yield Case("From, none", mail("no from", b""), "quarantine", NOBODY)
    yield Case("From, a name that is an address", mail("n", b'From: "ana@acme.example" <mal@evil.example>\r\n'), *AWAY)
    yield Case("From, folded", mail("folded", b"From:\r\n ana@acme.example\r\n"))
    yield Case("From, other letters", mail("capitals", b"From: ANA@ACME.example\r\n"))
    injected = b"From: =?utf-8?q?Ana=0D=0ABcc=3A_x=40y?= <ana@acme.example>\r\n"
    yield Case("From, line ends in the name", mail("crlf", injected))
    yield Case(
        "Reply-To and Sender of others", mail("reply", more=b"Reply-To: mal@evil.example\r\nSender: x@y.example\r\n")
    )
    yield Case("Resent-From of others", mail("resent", more=b"Resent-From: mal@evil.example\r\n"))


AWAY = ("quarantine", STRANGER)


def double_meanings() -> Iterator[Case]:
    """Bytes that two programs read in two ways."""
    ana, mal = b"From: ana@acme.example\r\n", b"From: mal@evil.example\r\n"
    for name, sender, more, by_imap in (
        ("two From", ana + mal, b"", True),
        ("two From, turned round", mal + ana, b"", True),
        ("the same From twice", ana + ana, b"", True),
        ("From with a blank", b"From : mal@evil.example\r\n" + ana, b"", True),
        ("bare CR and a second From", b"From: ana@acme.example\rFrom: mal@evil.example\r\n", b"", True),
        ("bare CR in another field", ana, b"X-A: b\rX-B: c\r\n", False),
        ("NUL in From", b"From: ana\0@acme.example\r\n", b"", False),
        ("NUL in another field", ana, b"X-A: \0\r\n", False),
        ("two Message-IDs", ana, b"Message-ID: <other@case.example>\r\n", True),
        ("two Content-Types", ana, b"Content-Type: text/plain\r\nContent-Type: text/html\r\n", True),
        ("two encodings", ana, b"Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: base64\r\n", True),
    ):
        yield Case(name, mail(name, sender, more), "quarantine", TWO_WAYS, by_imap=by_imap)
    yield Case("NUL in the text", mail("nul", body=b"uno\0dos\r\n"), by_imap=False)
    yield Case("bare CR in the text", mail("cr", body=b"uno\rdos\r\n"))
    yield Case("bare LF in the text", mail("lf", body=b"uno\ndos\n.\ntres\r\n"))
    smuggled = b"a\n.\r\nMAIL FROM:<mal@evil.example>\nRCPT TO:<soporte@example.es>\nDATA\nFrom: marta@example.es\r\n"
    yield Case("a mail smuggled in the text (T04)", mail("smuggled", body=smuggled))


def sizes() -> Iterator[Case]:
    """What is big in some respect, on both sides of each limit."""

    def parts(count: int) -> bytes:
        return mail(f"p{count}", more=MULTIPART, body=b"--x\r\n\r\na\r\n" * count + b"--x--\r\n")

    def nested(depth: int) -> bytes:
        levels = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
        first, *rest = levels
        return mail(
            f"d{depth}",
            more=first.partition(b"\r\n\r\n")[0] + b"\r\n",
            body=b"--b0\r\n" + b"".join(rest) + b"\r\nHola.\r\n",
        )

    yield Case("parts, as many as may be", parts(MAX_PARTS - 1))
    yield Case("parts, too many (T34)", parts(MAX_PARTS), "quarantine", f"{UNSAFE}more than 1000 parts")
    yield Case("parts, thousands", parts(9_000), "quarantine", f"{UNSAFE}more than 1000 parts")
    yield Case("depth, as deep as may be", nested(MAX_DEPTH))
    yield Case("depth, too deep", nested(MAX_DEPTH + 1), "quarantine", f"{UNSAFE}parts nested more than 20 deep")
    inner = b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"x\r\n"
    yield Case("a thousand messages in messages", mail("rfc822", more=b"Content-Type: message/rfc822\r\n", body=inner))
    long_field = b"X-A: " + b"a" * 65_600 + b"\r\n"
    yield Case("field, too long", mail("field", more=long_field), "quarantine", f"{UNSAFE}header field of more than")
    many = b"".join(b"X-%d: a\r\n" % n for n in range(2_100))
    yield Case("fields, too many", mail("fields", more=many), "quarantine", f"{UNSAFE}more than 2000 header fields")
    block = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 900) for n in range(320))
    yield Case("header, too long", mail("block", more=block), "quarantine", f"{UNSAFE}header of more than")
    yield Case(
        "subject of a thousand words (T33)", mail("words", more=b"Keywords: " + b"=?utf-8?q?a?= " * 1_000 + b"\r\n")
    )
    yield Case("ten thousand addresses", mail("addresses", more=b"Cc: " + b"a@b.example, " * 4_900 + b"\r\n"))
    yield Case("a million commas in To", mail("commas", more=b"Cc: " + b"," * 65_000 + b"\r\n"))
    yield Case(
        "boundary without end",
        mail("boundary", more=b"Content-Type: multipart/mixed; boundary=" + b"y" * 9_000 + b"\r\n"),
    )
    yield Case(
        "parameters without end", mail("parameters", more=b"Content-Type: text/plain" + b"; a*1=b" * 5_000 + b"\r\n")
    )
    yield Case("line of half a megabyte", mail("line", body=b"x" * 500_000 + b"\r\n"))
    yield Case("lines beyond 998 octets (T41)", mail("lines", body=(b"y" * 3_000 + b"\r\n") * 9))
    yield Case("HTML that never closes", mail("html", more=HTML, body=b"<div>" * 100_000 + b"\r\n"))
    yield Case("bigger than smtp.max_size", mail("big", body=(b"x" * 70 + b"\r\n") * 16_000), code=552)


MULTIPART = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n"
HTML = b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n"


def look_alikes() -> Iterator[Case]:
    """Letters that look like others (T09)."""
    for name, address in {
        "Cyrillic a": "\u0430na@acme.example",
        "Cyrillic domain": "ana@\u0430cme.example",
        "Kelvin sign": "ana@acme.example".replace("a", "\u212a", 1),
        "dotless i": "ana@acme.examp\u0131e",
        "full width": "ａｎａ@acme.example",
        "zero width": "ana\u200b@acme.example",
        "other at sign": "ana\uff20acme.example",
        "accent apart": "an\u0061\u0301@acme.example",
    }.items():
        yield Case(f"address, {name}", mail(name, f"From: {address}\r\n".encode()), "quarantine", NOBODY)
    puny = mail("puny", b"From: ana@xn--cme-5cd.example\r\n")
    yield Case("address, IDNA", puny, "quarantine", "ana@xn--cme-5cd.example is nobody that the rules know")
    beside = mail("beside", b"From: ana@acme.example.evil.example\r\n")
    yield Case("address, a domain before another", beside, "quarantine", "ana@acme.example.evil.example is nobody")
    yield Case("name, mixed scripts", mail("mixed", "From: \u0410n\u0430 <ana@acme.example>\r\n".encode()))
    yield Case("name, turned round", mail("turned", "From: \u202eana <ana@acme.example>\r\n".encode()))


def dates_and_ids() -> Iterator[Case]:
    """Dates that are none, and IDs that are more than that."""
    for number, date in enumerate(
        (
            b"",
            b"Mon, 01 Jan 9999 00:00:00 -2359",
            b"+9900",
            b"Tue, 32 Nov 2026 10:00:60 +0000",
            b"1 Jan 0000 00:00 +0000",
        )
    ):
        yield Case(f"Date, {date.decode() or 'empty'}", mail(f"date {number}", more=b"Date: " + date + b"\r\n"))
    ana = b"From: ana@acme.example\r\nTo: soporte@example.es\r\nSubject: El carrito\r\n"
    for name, identity in {
        "line ends": b"<a@b\r\n Bcc: mal@evil.example>",
        "quotes": b'<"a\' or 1=1; drop table ticket; --"@b>',
        "commands of IMAP (T27)": b'<a@b> "" {1}\r\n DELETE INBOX',
        "five thousand letters": b"<" + b"a" * 5_000 + b"@b>",
        "brackets within": b"<<a@b>>",
        "none in it": b"",
    }.items():
        yield Case(f"Message-ID, {name}", ana + b"Message-ID: " + identity + b"\r\n\r\n" + name.encode() + b"\r\n")
    yield Case("Message-ID, none", ana + b"\r\nSin identidad.\r\n")
    yield Case("References, many", mail("refs", more=b"References: " + b"<none@case.example> " * 3_000 + b"\r\n"))
    first = mail("twice")
    yield Case("the first of two", first)
    yield Case("the same again (T17)", first, "repeat")
    yield Case("the same ID and another text (H60)", mail("twice", body=b"Otra cosa.\r\n"))


def forgeries() -> Iterator[Case]:
    """People who are not who they say, and headers that claim more than they may."""
    marta = b"From: Marta Gil <marta@example.es>\r\n"
    yield Case(
        "a technician without proof (T01)",
        mail("marta", marta, body=b"#time 9h\r\n"),
        "quarantine",
        "a technician's mail",
    )
    claims = b"Authentication-Results: mx.example.es; dkim=pass header.d=example.es; dmarc=pass\r\n"
    yield Case(
        "a technician with a verdict of their own (T06)", mail("ar", marta, claims), "quarantine", "a technician's mail"
    )
    yield Case("a stranger", mail("stranger", b"From: mal@evil.example\r\n"), *AWAY)
    points = mail("tag", b"From: mal@evil.example\r\n").replace(b"Subject: ", b"Subject: [SOP-1] ")
    yield Case("a stranger with the number of a ticket (T20)", points, *AWAY)
    yield Case("commands of a client (T13)", mail("time", body=b"#time 99m\r\n#close\r\n"))
    utf7 = b"Content-Type: text/plain; charset=utf-7\r\n"
    yield Case("a charset that hides (T15)", mail("utf7", more=utf7, body=b"+ACM-time 99m\r\n"))
    control = b"X-Mailgate-Ticket: 1\r\nX-Mailgate-Status: closed\r\nX-RT-Command: Delete\r\n"
    yield Case("headers that command (T29)", mail("control", more=control))
    path = b"..%2F..%2F%E2%80%8B.htaccess%0D%0AX%3A%201"
    file = b"--x\r\nContent-Type: text/plain; name*=utf-8''" + path + b"\r\n\r\nx\r\n--x--\r\n"
    yield Case("a file name that is a path (T37)", mail("file", more=MULTIPART, body=file))
    yield Case(
        "a receipt is asked for (T32)", mail("receipt", more=b"Disposition-Notification-To: mal@evil.example\r\n")
    )
    yield Case("an automatic mail", mail("auto", more=b"Auto-Submitted: auto-replied\r\n"), "keep")


def honest() -> Iterator[Case]:
    """Odd and honest."""
    yield Case("line ends of Unix", mail("unix").replace(b"\r\n", b"\n"))
    yield Case(
        "raw letters in a header",
        mail("raw", more="X-Título: ñandú\r\n".encode("latin-1"), body="Año\r\n".encode("latin-1")),
    )
    yield Case("dots at the beginning of lines", mail("dots", body=b".\r\n..\r\n.a\r\n"))
    yield Case("no text at all", mail("empty", body=b""))
