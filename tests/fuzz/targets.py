"""What is fuzzed: functions that take any bytes and fail where those have an effect that they must not have.

The same functions stand behind the cases that were found once (`test_found.py`) and the long search (`__main__.py`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from mailgate.core.intake import decide
from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.model import Kind, Outcome
from mailgate.core.plan import Plan
from mailgate.service.audit import audited
from mailgate.store import tickets
from tests.hostile import canary
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, desk, known, reply_address, ticket, written

DESK = desk()
SMTP = Envelope("smtp", "ana@acme.example", ("soporte@example.es",))


def message(raw: bytes) -> None:
    """Any bytes as a message from outside: read, decided on; only the known are written to, and nothing is booked."""
    plan = decide(mime.parse(raw, SMTP), known(ticket()), DESK, NOW)
    assert plan.outcome is not None
    assert all(DESK.rules.who(notice.to) for notice in plan.notices)
    assert plan.entries == ()


def answer(raw: bytes) -> None:
    """Any text as a technician's answer: with one wrong line nothing of it is done."""
    mail = mime.parse(answered(raw, 12), Envelope("imap"))
    plan = decide(mail, known(ticket()), DESK, NOW)
    assert plan.outcome is not None
    assert all(DESK.rules.who(notice.to) for notice in plan.notices)
    if "problems" in {notice.template for notice in plan.notices}:
        assert (plan.entries, plan.matters, plan.decisions, plan.changed) == ((), (), (), None)


def way(raw: bytes) -> None:
    """Any bytes the whole way into a store, as a message and as an answer; the mails that leave are looked over."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        shutil.copytree(_begun(), folder, dirs_exist_ok=True)
        with stored_desk(Path(folder), DESK) as at:
            _goes_well(at, at.take(raw))
            _goes_well(at, at.take(answered(raw, 1)))


def answered(text: bytes, ticket: int) -> bytes:
    """A mail of Marta's to her reply address of a ticket, with this text."""
    mail = written(
        "?",
        sender="Marta Gil <marta@example.es>",
        to=reply_address(ticket, "marta@example.es"),
        subject=f"Re: [SOP-{ticket} Acme S.L.] El carrito",
        message_id="<a1@example.es>",
    )
    return mail.removesuffix(b"?\n") + text


def _goes_well(at: StoredDesk, plan: Plan) -> None:
    assert plan.outcome is not None
    assert all(DESK.rules.who(mail.to) for mail in at.mails())
    for raw in at.raws():
        canary.read(raw)
    with at.store.read() as tx:
        assert audited(tx).problems == []
        assert plan.outcome is not Outcome.OPEN or plan.ticket is None or tickets.get(tx, plan.ticket.id)


@lru_cache(maxsize=1)
def _begun() -> Path:
    """A store in which Ana opened SOP-1, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="mailgate-fuzz-", dir=_memory()))
    with stored_desk(folder, DESK) as at:
        at.book(240, Kind.PURCHASE, package="4h", price="160.00 EUR")
        at.take()
    return folder


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


TARGETS: Mapping[str, Callable[[bytes], None]] = {"message": message, "answer": answer, "way": way}
