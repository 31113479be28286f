"""The first server takes no mail: the admin reads of it by the second one, over a real daemon and two real Postfix."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.faults import checks
from tests.faults.driver import Desk, desk_in
from tests.faults.senders import Postbag
from tests.running import read
from tests.servers import Smarthost, eventually, free_port

pytestmark = [pytest.mark.slow, pytest.mark.servers]

_OUTGOING = """via = "smtp"
host = "127.0.0.1"
port = {first}

[outgoing.alarms]
host = "127.0.0.1"
port = {second}
tls = "none"
"""


@pytest.fixture
def second() -> Iterator[Smarthost]:
    if reason := servers.missing():
        pytest.skip(f"needs real mail servers: {reason}")
    with (
        servers.public_folder() as folder,
        servers.postfix_smarthost(servers.certificate(folder), "desk.example") as up,
    ):
        yield up


def _told(smarthost: Smarthost) -> list[str]:
    """The subjects of what went to the admin, in order."""
    mails = sorted((read(raw) for raw in smarthost.mails()), key=lambda mail: str(mail["Date"]))
    return [str(mail["Subject"]) for mail in mails if mail["To"] == "admin@desk.example"]


def _retried(desk: Desk) -> bool:
    """Have what waits tried at once; whether there was anything."""
    waiting = [str(number) for (number,) in checks.rows(desk, "select id from outbox where state = 'queued'")]
    if waiting:
        desk.verb("outbox", "retry", *waiting)
        time.sleep(0.5)
    return bool(waiting)


def _restart(desk: Desk) -> None:
    """The jobs of each minute are done at once."""
    desk.stop()
    desk.start()


def test_trouble_with_the_first_server_and_its_end_are_told_by_the_second_once_each(
    tmp_path: Path, second: Smarthost
) -> None:
    gone = free_port()
    with desk_in(tmp_path, outgoing=_OUTGOING.format(first=gone, second=second.port)) as desk:
        desk.rules.write_text(desk.rules.read_text().replace("[monitor]", '[monitor]\nunsent_after = "1s"'))
        desk.start()
        desk.verb("inject", "-", stdin=Postbag(random.Random(1)).request().raw)
        eventually(lambda: checks.value(desk, "select count(*) from outbox where tries > 0"))
        time.sleep(1.1)  # what waits for less is no trouble yet, and the next look is a minute away
        _restart(desk)
        eventually(lambda: _told(second))
        _restart(desk)
        with servers.public_folder() as folder, servers.postfix_smarthost(servers.certificate(folder)) as first:
            desk.rules.write_text(desk.rules.read_text().replace(f"{gone}", f"{first.port}"))
            eventually(lambda: not _retried(desk))  # more than once: the new rules are taken up within a second
            _restart(desk)
            eventually(lambda: len(_told(second)) == 2)
            _restart(desk)
            assert _told(first) == []
        trouble, over = _told(second)
        assert trouble.startswith("Problema: ")
        assert over.startswith("Resuelto: ")
