"""Mail servers that are known by the address or by the host, and who lets nobody in with a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from mailgate.core.settings.servers import Provider

PROVIDERS: tuple[str, ...] = get_args(Provider)
LOGINS = ("password", *PROVIDERS)
"""How a mail server may let us in."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where mail of an address is fetched, and where it is sent from."""

    imap: str
    smtp: str


_OF_LOGIN: Mapping[str, Servers] = {
    "google": Servers("imap.gmail.com", "smtp.gmail.com"),
    "microsoft": Servers("outlook.office365.com", "smtp.office365.com"),
}
_OUTLOOK = Servers("outlook.office365.com", "smtp-mail.outlook.com")
_OF_DOMAIN: Mapping[str, Servers] = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), _OF_LOGIN["google"]),
    **dict.fromkeys(("outlook.com", "outlook.es", "hotmail.com", "hotmail.es", "live.com", "msn.com"), _OUTLOOK),
}
_AT_HOST: Mapping[str, str] = {
    **{host: login for login, servers in _OF_LOGIN.items() for host in (servers.imap, servers.smtp)},
    _OUTLOOK.smtp: "microsoft",
}


def servers_of(address: str, login: str = "password") -> Servers:
    """Those of an address, as they are usually called where none is known. login: of the other way, which says more."""
    domain = address.partition("@")[2].lower()
    usual = _OF_LOGIN.get(login) or Servers(f"imap.{domain}", f"smtp.{domain}")
    return _OF_DOMAIN.get(domain, usual)


def login_at(host: str) -> str:
    """How a server lets us in: one of LOGINS."""
    return _AT_HOST.get(host.lower(), "password")
