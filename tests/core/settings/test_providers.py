"""Where mail of an address is fetched and sent from, as far as that is sure."""

from __future__ import annotations

import pytest

from mailgate.core.settings.providers import LOGINS, Servers, login_at, servers_of

GMAIL = Servers("imap.gmail.com", "smtp.gmail.com")


@pytest.mark.parametrize(
    ("address", "login", "servers"),
    [
        ("ayuda@GMAIL.com", "password", GMAIL),
        ("ayuda@hotmail.es", "password", Servers("outlook.office365.com", "smtp-mail.outlook.com")),
        ("ayuda@web.example", "password", Servers("imap.web.example", "smtp.web.example")),
        ("ayuda@web.example", "google", GMAIL),
        ("ayuda@web.example", "microsoft", Servers("outlook.office365.com", "smtp.office365.com")),
        ("ayuda@web.example", "", Servers("imap.web.example", "smtp.web.example")),
    ],
)
def test_servers_of_an_address(address: str, login: str, servers: Servers) -> None:
    assert servers_of(address, login) == servers


@pytest.mark.parametrize(
    ("host", "login"),
    [
        ("imap.gmail.com", "google"),
        ("SMTP.office365.com", "microsoft"),
        ("smtp-mail.outlook.com", "microsoft"),
        ("imap.web.example", "password"),
    ],
)
def test_how_a_server_lets_us_in(host: str, login: str) -> None:
    assert login_at(host) == login
    assert login in LOGINS
