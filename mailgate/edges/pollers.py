"""The mailboxes that the rules name, each with its poller; changed rules start them anew."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import Login
from mailgate.edges.imap import Inbox, Poller
from mailgate.edges.oauth import Secret


class Pollers:
    """All pollers of a desk. rules: gives those in force; secret: what signs in at a mailbox."""

    def __init__(self, inbox: Inbox, rules: Callable[[], Rules], secret: Callable[[Login], Secret]) -> None:
        self._inbox = inbox
        self._rules = rules
        self._secret = secret
        self._running: list[Poller] = []
        self._changing = threading.Lock()
        self._ended = False

    def start(self) -> None:
        """Begin to collect from every mailbox. Raises RulesError for a secret that cannot be read."""
        with self._changing:
            self._start()

    def restart(self) -> None:
        """Stop them and start those of the rules in force; not for the event loop, stopping takes seconds."""
        with self._changing:  # rules may change again while some are still stopping
            self._stop()
            self._start()

    def end(self) -> None:
        """Stop them for good."""
        self._ended = True
        with self._changing:
            self._stop()

    def _start(self) -> None:
        rules = self._rules()
        for mailbox in rules.imap if not self._ended else ():
            poller = Poller(mailbox, self._secret(mailbox), self._inbox, rules.smtp.max_size)
            poller.start()
            self._running.append(poller)

    def _stop(self) -> None:
        for poller in self._running:
            poller.stop()
        self._running.clear()
