"""Builds all parts once, starts them in order and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import signal
import threading
from collections.abc import Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from mailgate.core.health import Trouble, troubles
from mailgate.core.mail import Delivery, Due, Envelope, Source
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import Login
from mailgate.core.writing.phrases import count
from mailgate.edges.clockwork import Clockwork, Doubt
from mailgate.edges.listening import Shortage
from mailgate.edges.monitor import Monitor, Seen
from mailgate.edges.named_files import tls_context
from mailgate.edges.notify import Notifier
from mailgate.edges.oauth import Secret, access_to, secret_of
from mailgate.edges.outbound import transport_for
from mailgate.edges.peers import Peers, ours
from mailgate.edges.pollers import Pollers
from mailgate.edges.signin import SignIn
from mailgate.edges.smtp import Gate, Handler, quiet_libraries
from mailgate.edges.verify import Verifier
from mailgate.edges.web.asking import Works
from mailgate.edges.web.server import ClientArea
from mailgate.errors import NoToken, Refused, RulesError, RulesProblem, StoreUnavailable, of_the_machine
from mailgate.opening import open_office, open_store, passwords, stamp
from mailgate.service import health, redact
from mailgate.service.daily import Daily
from mailgate.service.deliver import drain
from mailgate.service.jobs.troubles import rules_accepted, rules_refused
from mailgate.service.logins import accounts
from mailgate.service.processor import Processor
from mailgate.service.schedule import IN_DOUBT, JOBS, tick
from mailgate.service.take import Intake, Pace, utc_now
from mailgate.store import Connection, outbox, rules_taken
from mailgate.store.keyring import KeyLostError
from mailgate.store.writer import Writer

log = logging.getLogger("mailgate")

_M_MMAP_THRESHOLD = -3  # malloc.h
_RELOAD_SECONDS = 0.5
_OUTBOX_SECONDS = 1
_ALARMS_SECONDS = 15
# How soon the desk's new day, and what the clock brings to its tickets, is noticed.
_JOBS_SECONDS = 60
# How long a daemon that stops waits for the mails under way; systemd kills it after 90 seconds.
_SENDING_SECONDS = 20


def _keep_little_memory() -> None:
    """Have the C library return big blocks as soon as they are freed; glibc would keep them, for each thread anew."""
    with contextlib.suppress(AttributeError, OSError):  # another library, without mallopt(3)
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 20)


def _give_memory_back() -> None:
    """What lies free among what is used; takes well under a millisecond."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


class Daemon:
    """What `mailgate run` runs: gateway, pollers, processing, outbox, reload, what the clock brings."""

    def __init__(self, rules_path: Path, data: Path) -> None:
        self._rules_path = rules_path
        self._data = data
        self._store = open_store(data)
        if self._store.keyring.fault:
            raise KeyLostError(self._store.keyring.fault)
        self._stamp = self._seen = stamp(rules_path)
        self._office = open_office(rules_path, data)
        self._since = utc_now()
        self._refusal: Trouble | None = None
        self._writer = Writer(self._store)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outbox_rings = asyncio.Event()
        self._sending: set[int] = set()
        self._checks = Verifier(lambda: self._office.desk.rules.trust)
        self._processor = Processor(self._store, self._writer, lambda: self._office, self._after_batch, self._checks)
        self._intake = Intake(self._writer, self._processor.wake)
        self._pace = Pace()
        self._gates: list[Gate] = []
        self._monitor: Monitor | None = None
        self._client_area: ClientArea | None = None
        self._notifier = Notifier()
        self._pollers = Pollers(self._intake, lambda: self._office.desk.rules, self._secret_of)
        self._daily = Daily(
            self._store, self._writer, lambda: self._office, self._ring_outbox, busy=lambda: self._processor.is_busy
        )
        self._transport = transport_for(self._office.desk.rules, rules_path, data)
        self._passwords = passwords(self._office.desk.rules, rules_path)
        tls_context(self._office.desk.rules.smtp, rules_path.parent)  # to miss it later would be too late
        self._doubt = Doubt()
        self._reload_asked = threading.Event()
        self._stopping = asyncio.Event()

    async def run(self, ready: threading.Event | None = None) -> None:
        """Work until SIGTERM or SIGINT. Raises OSError where an address cannot be listened on."""
        quiet_libraries()
        _keep_little_memory()
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(Shortage())
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
                self._loop.add_signal_handler(number, self._stopping.set)
        with contextlib.suppress(ValueError, RuntimeError):
            self._loop.add_signal_handler(signal.SIGHUP, self._reload_asked.set)
        self._writer.submit(outbox.release_claims).result()
        self._note_rules().result()
        await self._start_gates()
        self._warm_up()
        self._processor.start()
        self._pollers.start()
        clockwork = self._clockwork()
        clockwork.start()
        delivering = asyncio.gather(self._deliver(), self._deliver_alarms())
        self._announce()
        feeding = asyncio.create_task(self._notifier.feed_watchdog(self._sign_of_life))
        self._notifier.tell("READY=1")
        if ready:
            ready.set()
        await self._stopping.wait()
        self._notifier.tell("STOPPING=1")
        await self._stop(clockwork, delivering)
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)

    def _warm_up(self) -> None:
        """What is dear only once is not done in the first message: one on which the process ends counts as poison."""
        rules = self._office.desk.rules
        spoken = {rules.desk.language, *(one.language for one in rules.clients.values() if one.language)}
        self._office.renderer.warm_up(spoken)
        self._checks.warm_up()

    def _sign_of_life(self, within: float) -> Future[None] | None:
        """Something small for the writer to do; None where messages are not processed any more."""
        return None if self._processor.stands_still(within) else self._writer.submit(lambda tx: None)

    def stop(self) -> None:
        """Ask a daemon that runs in another thread to end."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def _start_gates(self) -> None:
        settings = self._office.desk.rules.smtp
        roads: tuple[tuple[Any, Source], ...] = ((settings.listen, "smtp"), (settings.lmtp, "lmtp"))
        for listen, source in roads:
            if listen is not None:
                handler = Handler(self._take, lambda: self._office.desk.rules.desks, source)
                sign_in = SignIn(lambda: self._passwords) if source == "smtp" else None
                gate = Gate(
                    listen,
                    lambda: self._office.desk.rules.smtp,
                    handler,
                    lmtp=source == "lmtp",
                    sign_in=sign_in,
                    peers=Peers(ours=lambda peer: ours(peer, self._office.desk.rules.trust.relays)),
                    folder=self._rules_path.parent,
                )
                await gate.start()
                self._gates.append(gate)
        if (listen := self._office.desk.rules.monitor.listen) is not None:
            self._monitor = Monitor(listen, self._look)
            await self._monitor.start()
        works = Works(self._store, self._writer, self._intake, lambda: self._office, self._ring_outbox, utc_now)
        self._client_area = ClientArea(self._office.desk.rules.web, works)
        await self._client_area.start()

    def _look(self) -> Seen:
        """How all stands, for the programs that ask."""
        office, now = self._office, utc_now()
        with self._store.read() as tx:
            found = health.looked(tx, office.desk.rules, now)
        off = [*([self._refusal] if self._refusal else []), *troubles(found, office.desk.rules.monitor, now)]
        return Seen(found, health.spoken(office, found, off, now))

    async def _take(self, raw: bytes, envelope: Envelope) -> int:
        return await self._pace.take(lambda: self._intake.submit(raw, envelope))

    def _after_batch(self, last: int) -> None:
        """There are mails to send, and there is room for more messages."""
        self._ring_outbox()
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pace.settled, last)

    def _clockwork(self) -> Clockwork:
        """The table of what happens every few moments."""
        clockwork = Clockwork()
        clockwork.every(_RELOAD_SECONDS, "reload", self._reload_if_changed)
        clockwork.every(_OUTBOX_SECONDS, "outbox", self._ring_outbox)
        clockwork.every(_JOBS_SECONDS, "day", self._run_day)
        clockwork.every(_JOBS_SECONDS, "jobs", self._run_jobs)
        clockwork.every(_JOBS_SECONDS, "redactions", self._settle_redactions)
        clockwork.every(_JOBS_SECONDS, "tokens", self._renew_tokens)
        clockwork.every(_JOBS_SECONDS, "memory", _give_memory_back)
        return clockwork

    def _ring_outbox(self) -> None:
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._outbox_rings.set)

    def _settle_redactions(self) -> None:
        """Not one of the jobs: it is done outside of any transaction, and may take long in a big store."""
        redact.settle(self._store, utc_now(), self._is_going)

    def _run_day(self) -> None:
        if not self._doubt.holds():
            self._daily.tick()

    def _run_jobs(self) -> None:
        if not self._doubt.holds():
            self._daily.wait(_JOBS_SECONDS)
        jobs = IN_DOUBT if self._doubt.holds() else JOBS
        if tick(self._writer, self._office, utc_now(), jobs):
            self._ring_outbox()

    async def _deliver(self) -> None:
        """Send what is due whenever somebody rings."""
        while not self._stopping.is_set():
            await self._outbox_rings.wait()
            self._outbox_rings.clear()
            await self._drain(alarms=False)

    async def _deliver_alarms(self) -> None:
        """They wait for no other mail where they have a server of their own: the first may be what is sick."""
        while not self._stopping.is_set():
            if self._office.desk.rules.outgoing.alarms:
                await self._drain(alarms=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _ALARMS_SECONDS)

    async def _drain(self, *, alarms: bool) -> None:
        try:
            going, sending = self._is_going, self._sending
            await drain(self._writer, self._send, lambda: self._office, going=going, alarms=alarms, sending=sending)
        except StoreUnavailable as error:
            log.warning("%s", error)
        except Exception:
            log.exception("sending stopped short; trying again")

    async def _send(self, mail: Due) -> Delivery:
        return await self._transport.send(mail)

    def _is_going(self) -> bool:
        return not self._stopping.is_set()

    async def _reload_if_changed(self) -> None:
        """Wait until the files are left alone for a tick: half of one may be as valid as the whole."""
        before, self._seen = self._seen, self._stamped()
        if before == self._seen != self._stamp or self._reload_asked.is_set():
            self._reload_asked.clear()
            self._notifier.reloading()
            transport = self._transport
            await asyncio.to_thread(self._take_up_rules)  # changed templates take a second
            self._notifier.tell("READY=1")
            if self._transport is not transport:
                await transport.close()

    def _stamped(self) -> Hashable:
        """How the files are now. That they cannot be looked at is a change, unless the machine lacks something."""
        try:
            return stamp(self._rules_path)
        except OSError as error:
            return self._stamp if of_the_machine(error) else str(error)

    def _take_up_rules(self) -> None:
        """Take up changed rules whole, or keep the last good ones and tell the admin."""
        self._stamp = self._stamped()
        before, transport = self._office, self._transport
        try:
            office = open_office(self._rules_path, self._data, before)
            if office.desk.rules.outgoing != before.desk.rules.outgoing:
                transport = transport_for(office.desk.rules, self._rules_path, self._data)
            for mailbox in office.desk.rules.imap:
                self._secret_of(mailbox)  # to miss one later would be too late
            secrets = passwords(office.desk.rules, self._rules_path)
            tls_context(office.desk.rules.smtp, self._rules_path.parent)
        except RulesError as error:
            self._tell_admin(error)
            return
        except (Refused, OSError) as error:  # a key or a secret that may not be read
            self._tell_admin(RulesError([RulesProblem(str(self._rules_path), 0, "", str(error))]))
            return
        self._office, self._transport, self._passwords = office, transport, secrets
        self._note_rules()
        self._since, self._refusal = utc_now(), None
        log.info("rules taken up")
        if _places(before.desk.rules) != _places(office.desk.rules):
            log.warning("an address to listen on has changed: that takes a restart")
        if office.desk.rules.imap != before.desk.rules.imap:
            threading.Thread(target=self._pollers.restart, name="pollers", daemon=True).start()

    def _secret_of(self, login: Login) -> Secret:
        return secret_of(login, self._rules_path.parent, self._data)

    def _renew_tokens(self) -> None:
        """Also those that nobody asks for while connections stay open: a refusal is to be known before they end."""
        for account in accounts(self._office.desk.rules):
            with contextlib.suppress(NoToken, RulesError, OSError):  # told by the health, or by who needs it
                if self._is_going():
                    access_to(account, self._rules_path.parent, self._data).token()

    def _note_rules(self) -> Future[None]:
        """Keep what is in force from now on, for whoever wants to know what other rules would have done."""
        office, now = self._office, utc_now()

        def note(tx: Connection) -> None:
            rules_taken.note(tx, office.written, now)
            rules_accepted(tx, office, now)

        return self._writer.submit(note)

    def _tell_admin(self, error: RulesError) -> None:
        office, now, since = self._office, utc_now(), self._since
        self._refusal = health.refused(error, now)
        lines = [str(problem) for problem in error.problems]
        for line in lines:
            log.error("%s", line)
        problems = count(len(lines), "problem", "problems", "en")
        log.error("%s; the rules of %s stay in force", problems, f"{since:%H:%M} UTC")
        self._writer.submit(lambda tx: rules_refused(tx, office, lines, since, now))

    def _announce(self) -> None:
        rules = self._office.desk.rules
        for gate, source in zip(self._gates, ("smtp", "lmtp"), strict=False):
            log.info("listening (%s) on %s", source, gate.place)
        if self._monitor:
            log.info("health and metrics on http://%s", self._monitor.place)
        if self._client_area and self._client_area.place:
            log.info("client area on http://%s, for people %s", self._client_area.place, rules.desk.url)
        log.info("%s <%s>; mails go out by %s", rules.desk.name, rules.desk.address, rules.outgoing.via)

    async def _stop(self, clockwork: Clockwork, delivering: asyncio.Future[Any]) -> None:
        """In the order of the way: nothing new comes in, what came is finished, then the store closes."""
        log.info("stopping")
        self._daily.stop()
        await clockwork.stop()
        for gate in self._gates:
            await gate.stop()
        if self._client_area:
            await self._client_area.stop()
        await asyncio.to_thread(self._pollers.end)
        await asyncio.to_thread(self._processor.stop)
        self._outbox_rings.set()
        # Cut off in the middle, a mail may have been taken by the next hop, and would go out twice.
        await asyncio.wait([delivering], timeout=_SENDING_SECONDS)
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        await self._transport.close()
        if self._monitor:
            await self._monitor.stop()
        await asyncio.to_thread(self._writer.close)
        self._store.close()
        log.info("stopped")


def _places(rules: Rules) -> tuple[Endpoint | None, ...]:
    return rules.smtp.listen, rules.smtp.lmtp, rules.monitor.listen, rules.web.listen
