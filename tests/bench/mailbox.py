"""A Dovecot with a full mailbox, for the road over IMAP."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests import servers
from tests.bench.corpus import Mail


@contextlib.contextmanager
def dovecot() -> Iterator[servers.Dovecot]:
    """A Dovecot of its own, in a folder that goes away."""
    with servers.public_folder() as folder, servers.dovecot(servers.certificate(folder)) as server:
        yield server


def section(server: servers.Dovecot, secret: Path) -> str:
    """The [[imap]] that collects from it; the password is written into `secret`."""
    secret.write_text(servers.PASSWORD)
    return (
        f'[[imap]]\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"\nuser = "{server.user}"\n'
        f'password_file = "{secret}"\npoll = "1s"'
    )


def put(server: servers.Dovecot, mails: Sequence[Mail]) -> None:
    """Deliver all mails in a moment: written aside, then renamed. UIDs follow the names, so the order stays."""
    for name in ("", "tmp", "new", "cur"):
        (server.maildir / name).mkdir(exist_ok=True)
        shutil.chown(server.maildir / name, "mail", "mail")
    for mail in mails:
        draft = server.maildir / "tmp" / _name(mail)
        draft.write_bytes(mail.raw)
        shutil.chown(draft, "mail", "mail")
    for mail in mails:
        (server.maildir / "tmp" / _name(mail)).rename(server.maildir / "new" / _name(mail))


def _name(mail: Mail) -> str:
    return f"{1_700_000_000 + mail.number}.M1P1.bench"
