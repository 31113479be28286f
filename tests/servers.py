"""Real mail servers for tests, each with a throw-away configuration on free loopback ports.

Dovecot and Postfix come from Debian's packages and want root; `missing()` says what is not there.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from imapclient import IMAPClient

USER = "soporte@desk.example"
PASSWORD = "olé-un-secreto".encode().hex()


def missing() -> str:
    """Why the servers cannot be started here, or ""."""
    absent = [name for name in ("dovecot", "postfix", "openssl") if not shutil.which(name, path=_PATH)]
    if absent:
        return f"{' and '.join(absent)} not installed"
    return "" if os.geteuid() == 0 else "the mail servers can only be started by root"


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds; fails the test when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@contextlib.contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that the servers' own users can reach, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="mailgate-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for localhost and 127.0.0.1, in PEM files."""

    cert: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert, self.key)
        return context


def certificate(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1", under: tuple[str, ...] = ()) -> Certificate:
    """For two days, made by openssl. under: a command line to run that under, e.g. with another clock."""
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [*under, *command.split(), "-addext", f"subjectAltName={names}", "-keyout", made.key, "-out", made.cert],
        check=True,
        capture_output=True,
    )
    return made


class Server:
    """A server process on a loopback port; may be stopped and started again."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        self.command = command
        self.port = port
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": _PATH},
                start_new_session=True,
            )
        try:
            eventually(self._answers)
        except AssertionError:
            self.kill()
            raise AssertionError(f"{self.command[0]} did not start:\n{self.log.read_text()}") from None

    def stop(self) -> None:
        """End it, and then what it started: open sessions outlive a Dovecot."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process = None

    def kill(self) -> None:
        """End all of it at once: in order it takes a Dovecot a second."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        self.start()
        try:
            yield self
        finally:
            self.kill()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = yes
ssl_cert = <{cert.cert}
ssl_key = <{cert.key}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%n
mail_max_userip_connections = 50
{extra}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/home
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""

# So many messages fit into a mailbox, all of its folders counted; without MOVE, which may go over the quota.
QUOTA = """
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = count:User quota
  quota_rule = *:messages={messages}
  quota_vsizes = yes
}}
imap_capability = IMAP4rev1 UIDPLUS IDLE
"""


class Dovecot(Server):
    """An IMAP server; `extra` are lines of its configuration.

    Whoever knows the password has a mailbox, empty at first; `user` is whose this class looks at.
    """

    def __init__(self, folder: Path, cert: Certificate, extra: str = "") -> None:
        self.user = USER
        self.tls_port = free_port()
        port = free_port()
        for name in ("mail", "home"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            shutil.chown(folder / name, "mail", "mail")
        self._config = folder / "dovecot.conf"
        self._own = DOVECOT.format(
            folder=folder, cert=cert, password=PASSWORD, port=port, tls_port=self.tls_port, extra=extra
        )
        self._config.write_text(self._own)
        super().__init__(["dovecot", "-F", "-c", str(self._config)], port, folder / "dovecot.log")

    def configure(self, extra: str) -> bool:
        """Start it anew with these lines in its configuration beside its own; whether they were not there before."""
        text = self._own + extra
        if text == self._config.read_text():
            return False
        self._config.write_text(text)
        self.stop()
        self.start()
        return True

    @property
    def maildir(self) -> Path:
        """Where the mailbox of `user` lies."""
        return self.log.parent / "mail" / self.user.partition("@")[0]

    @contextlib.contextmanager
    def session(self, folder: str = "INBOX") -> Iterator[IMAPClient]:
        """A second mail program that has the mailbox open."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
        try:
            client.login(self.user, PASSWORD)
            client.select_folder(folder)
            yield client
            client.logout()
        finally:
            with contextlib.suppress(OSError):
                client.shutdown()

    def put(self, *mails: bytes, folder: str = "INBOX", flags: tuple[bytes, ...] = ()) -> None:
        with self.session() as client:
            for mail in mails:
                client.append(folder, mail, flags)

    def contents(self, folder: str = "INBOX") -> dict[int, tuple[bytes, ...]]:
        """UID to flags of everything in a folder; empty if there is no such folder."""
        with self.session() as client:
            if not client.folder_exists(folder):
                return {}
            client.select_folder(folder, readonly=True)
            flags = client.get_flags(client.search())
        return {uid: tuple(flag for flag in found if flag != rb"\Recent") for uid, found in flags.items()}


MASTER = """
127.0.0.1:{port} inet n - n - - smtpd -o max_use=$smtpd_max_use
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

# Retries come within a second or two, so that a test can see what a temporary answer leads to; who makes mistakes
# does not wait for the next reply.
MAIN = {
    "compatibility_level": "3.6",
    "myhostname": "mx.desk.example",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "mydestination": "",
    "alias_maps": "",
    "local_recipient_maps": "",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_peername_lookup": "no",
    "smtp_dns_support_level": "disabled",
    "lmtp_host_lookup": "native",
    "maillog_file_prefixes": "/tmp, /var",
    "queue_run_delay": "1s",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "2s",
    "smtpd_error_sleep_time": "0",
    "message_size_limit": "50000000",
    "smtpd_max_use": "100",
}


class Postfix(Server):
    """A Postfix with its own queue; `settings` go into main.cf on top of MAIN."""

    def __init__(self, folder: Path, **settings: str) -> None:
        port = free_port()
        log = folder / "postfix.log"
        _configure(folder, port, {"maillog_file": log, **settings})
        subprocess.run(["cp", "--archive", _queue(), folder], check=True)
        (folder / "queue/quick-start").touch()  # all is as it should be, and need not be looked through
        self._pid_file = folder / "queue/pid/master.pid"
        super().__init__(["postfix", "-c", str(folder / "etc"), "start-fg"], port, log)

    def kill(self) -> None:
        """The process that we started is a script; the master, in a session of its own, is to end."""
        if self._pid_file.exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(self._pid_file.read_text()), signal.SIGKILL)
        super().kill()

    stop = kill


def _configure(folder: Path, port: int, settings: Mapping[str, object]) -> None:
    """Write the configuration of a Postfix that keeps all it has in a folder."""
    for name in ("etc", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    own = {"queue_directory": folder / "queue", "data_directory": folder / "data"}
    lines = [f"{key} = {value}" for key, value in {**MAIN, **own, **settings}.items()]
    (folder / "etc/main.cf").write_text("\n".join(lines) + "\n")
    (folder / "etc/master.cf").write_text(MASTER.format(port=port).lstrip())


@cache
def _queue() -> Path:
    """An empty queue as Postfix makes it, once in this process: at each start that takes a second and more."""
    folder = Path(tempfile.mkdtemp(prefix="mailgate-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "queue").mkdir()
    _configure(folder, 0, {})
    command = ["postfix", "-c", folder / "etc", "post-install", "create-missing"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": _PATH})
    return folder / "queue"


@contextlib.contextmanager
def dovecot(cert: Certificate, extra: str = "") -> Iterator[Dovecot]:
    with public_folder() as folder, Dovecot(folder, cert, extra).running() as server:
        yield server


@contextlib.contextmanager
def postfix_relay(lmtp_port: int, **settings: str) -> Iterator[int]:
    """A Postfix in front of us: takes any mail on the port given and hands it to our LMTP port."""
    hop = f"lmtp:inet:127.0.0.1:{lmtp_port}"
    with public_folder() as folder:
        server = Postfix(folder, default_transport=hop, relay_transport=hop, **settings)
        with server.running():
            yield server.port


@dataclass
class Smarthost:
    """A Postfix behind us; what it took for its domain lies in `maildir`."""

    port: int
    maildir: Path
    log: Path

    def mails(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.maildir / "new").glob("*"))]


@contextlib.contextmanager
def postfix_smarthost(cert: Certificate, domain: str = "client.example", **settings: str) -> Iterator[Smarthost]:
    """A Postfix that keeps the mail for a domain."""
    with public_folder() as folder:
        boxes = folder / "boxes"
        boxes.mkdir()
        shutil.chown(boxes, "mail", "mail")
        server = Postfix(
            folder,
            virtual_mailbox_domains=domain,
            virtual_mailbox_base=str(boxes),
            virtual_mailbox_maps="static:all/",
            virtual_mailbox_limit="0",
            virtual_minimum_uid="1",
            virtual_uid_maps="static:8",
            virtual_gid_maps="static:8",
            smtpd_tls_security_level="may",
            smtpd_tls_cert_file=str(cert.cert),
            smtpd_tls_key_file=str(cert.key),
            **settings,
        )
        with server.running():
            yield Smarthost(server.port, boxes / "all", server.log)
