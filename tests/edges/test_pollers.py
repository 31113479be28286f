"""All pollers of a desk together."""

from __future__ import annotations

import pytest

from mailgate.core.settings.servers import Login
from mailgate.edges.pollers import Pollers
from mailgate.errors import RulesError, RulesProblem
from tests.edges.mailbox import Memory
from tests.support import rules

BOXES = [{"host": "127.0.0.1", "port": 1, "user": f"u{number}@example.es", "password_env": "X"} for number in range(3)]


def _secret(login: Login) -> str:
    if login.user == "u1@example.es":
        raise RulesError([RulesProblem("secrets/imap", 0, "", "cannot be read")])
    return "secret"


def test_secret_that_cannot_be_read_keeps_no_other_mailbox_waiting() -> None:
    inbox = Memory()
    desk = rules(imap=BOXES)
    pollers = Pollers(inbox, lambda: desk, _secret)
    pollers.restart()
    try:
        assert len(pollers._running) == 2
        assert "secrets/imap: cannot be read" in inbox.noted
    finally:
        pollers.end()


def test_secret_that_cannot_be_read_is_told_at_the_start() -> None:
    desk = rules(imap=BOXES)
    pollers = Pollers(Memory(), lambda: desk, _secret)
    with pytest.raises(RulesError, match="secrets/imap"):
        pollers.start()
    pollers.end()
