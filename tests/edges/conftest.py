"""Real servers for the tests of the edges; see tests/servers.py."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from mailgate.edges import imap
from tests import servers
from tests.edges.mailbox import Desk, desk_at
from tests.servers import Certificate, Dovecot, Smarthost

_numbers = count(1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("servers") and (reason := servers.missing()):
        pytest.skip(f"needs real mail servers: {reason}")


@pytest.fixture(scope="session")
def certificate_folder() -> Iterator[Path]:
    with servers.public_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def own_certificate(certificate_folder: Path) -> Certificate:
    """For localhost, signed by itself: nobody trusts it unless told to."""
    return servers.certificate(certificate_folder)


@pytest.fixture
def trusted(own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """The same, and OpenSSL's default store trusts it during the test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(own_certificate.cert))
    return own_certificate


@pytest.fixture(scope="module")
def shared_dovecot(own_certificate: Certificate) -> Iterator[Dovecot]:
    with servers.dovecot(own_certificate) as server:
        yield server


@pytest.fixture
def dovecot(shared_dovecot: Dovecot) -> Dovecot:
    """A Dovecot with an empty mailbox for each test."""
    shared_dovecot.user = f"u{next(_numbers)}@desk.example"
    return shared_dovecot


@pytest.fixture
def desk(dovecot: Dovecot) -> Iterator[Desk]:
    with desk_at(dovecot) as desk:
        yield desk


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pollers try again within a second, so that tests are short."""
    monkeypatch.setattr(imap, "_LONGEST_PAUSE", 0.5)


@pytest.fixture(scope="module")
def smarthost(own_certificate: Certificate) -> Iterator[Smarthost]:
    """A Postfix that takes mail for @client.example; shared, so look for your own mail in it."""
    with servers.postfix_smarthost(own_certificate) as server:
        yield server
