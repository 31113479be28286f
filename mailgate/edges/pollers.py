"""The mailboxes that the rules name, each with its poller; changed rules start them anew."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import Imap, Login
from mailgate.edges.imap import Inbox, Poller
from mailgate.edges.oauth import Secret
from mailgate.errors import MailgateError, RulesError

log = logging.getLogger(__name__)


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
            for mailbox in self._mailboxes():
                self._start(mailbox)

    def restart(self) -> None:
        """Stop them and start those of the rules in force; not for the event loop, stopping takes seconds.

        The secrets could be read when the rules were taken up. One that cannot be now keeps no other mailbox waiting.
        """
        with self._changing:  # rules may change again while some are still stopping
            self._stop()
            for mailbox in self._mailboxes():
                try:
                    self._start(mailbox)
                except RulesError as error:
                    log.error("%s/%s: not collected from: %s", mailbox.host, mailbox.folder, error)
                    with contextlib.suppress(MailgateError):
                        self._inbox.failed(mailbox.name, str(error))

    def end(self) -> None:
        """Stop them for good."""
        self._ended = True
        with self._changing:
            self._stop()

    def _mailboxes(self) -> tuple[Imap, ...]:
        return () if self._ended else self._rules().imap

    def _start(self, mailbox: Imap) -> None:
        poller = Poller(mailbox, self._secret(mailbox), self._inbox, self._rules().smtp.max_size)
        poller.start()
        self._running.append(poller)

    def _stop(self) -> None:
        for poller in self._running:
            poller.stop()
        self._running.clear()
