"""Big mails are read one after the other, so that a heap of them does not fill the memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailgate.core.mail import Notice, Outgoing
from mailgate.store import Store, journal, outbox
from tests.store.makes import NOW, taken

ROOM = 4_000_000


@pytest.mark.parametrize(("size", "together"), [(ROOM // 2, 2), (ROOM // 2 + 1, 1), (2 * ROOM, 1)])
def test_what_waits_is_read_as_far_as_there_is_room(store: Store, size: int, together: int) -> None:
    with store.write() as tx:
        numbers = [taken(tx, bytes([number]) * size) for number in range(3)]
        assert [kept.id for kept in journal.waiting(tx, 20, NOW)] == numbers[:together]


@pytest.mark.parametrize(("size", "together"), [(ROOM // 2, 2), (ROOM // 2 + 1, 1), (2 * ROOM, 1)])
def test_what_is_due_is_claimed_as_far_as_there_is_room(store: Store, size: int, together: int) -> None:
    with store.write() as tx:
        for number in range(3):
            notice = Notice("ack", "ana@acme.example", "es")
            outbox.queue(tx, Outgoing(notice, f"{number}@desk.example", "", "", bytes([number]) * size, ""), NOW)
        until = NOW + timedelta(minutes=30)
        claims = [[due.id for due in outbox.claim_due(tx, NOW, until, 50)] for _ in range(3)]
    assert len(claims[0]) == together
    assert [number for claim in claims for number in claim] == [1, 2, 3]
