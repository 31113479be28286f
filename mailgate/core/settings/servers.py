"""The sections of `rules.toml` about mail servers, the web, and whom to believe.

Sizes are bytes. Files are named as written, relative to the rules. Secrets are only ever named here,
see `config.secret`.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mailgate.core.mailbox import mailbox_name
from mailgate.core.settings import fields, units
from mailgate.core.settings.fields import Endpoint, written
from mailgate.core.settings.schema import Many, Section, Text


def _span_or_off(text: str) -> timedelta | None:
    """None for "off"."""
    try:
        return None if text == "off" else timedelta(seconds=units.seconds(text))
    except ValueError as error:
        raise ValueError(f'{error}, or "off"') from None


Listen = Annotated[Endpoint | None, BeforeValidator(written(fields.endpoint))]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(written(fields.network))]
Port = Annotated[int, Field(ge=1, le=65535)]
Span = Annotated[timedelta, BeforeValidator(written(lambda text: timedelta(seconds=units.seconds(text))))]
SpanOrOff = Annotated[timedelta | None, BeforeValidator(written(_span_or_off))]
Tls = Literal["implicit", "starttls", "none"]
Provider = Literal["google", "microsoft"]
Url = Annotated[str, AfterValidator(fields.guarded_url)]


class Smtp(Section):
    """[smtp], the gateway. max_size: bytes."""

    listen: Listen = Endpoint("tcp", "127.0.0.1", 8025)
    lmtp: Listen = None
    max_size: Annotated[int, BeforeValidator(written(units.size))] = 25 * 1024**2
    tls_cert_file: str = ""
    tls_key_file: str = ""

    @model_validator(mode="after")
    def _has_both_files(self) -> Self:
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise ValueError("STARTTLS needs two files; name both tls_cert_file and tls_key_file, or none")
        return self


class OAuth2(Section):
    """How to sign in at a mail server without a password: `mailgate login`.

    tenant: Microsoft's name for an organisation. auth_url, device_url, token_url, scope: "" for the provider's own
    (core/oauth.py); a provider with a device_url is asked by that road.
    """

    provider: Provider
    client_id: Text
    client_secret_file: str = ""
    client_secret_env: str = ""
    tenant: Annotated[str, AfterValidator(fields.tenant)] = "common"
    auth_url: Url = ""
    device_url: Url = ""
    token_url: Url = ""
    scope: str = ""


class Login(Section):
    """How to sign in to a mail server. password_file, password_env: where the password is; oauth2: without one."""

    host: Text
    port: Port
    tls: Tls
    user: str
    password_file: str = ""
    password_env: str = ""
    oauth2: OAuth2 | None = None

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if self.oauth2 and (self.password_file or self.password_env):
            raise ValueError("has two ways to sign in; name a password or oauth2")
        if self.oauth2 and not self.user:
            raise ValueError("oauth2 needs a user: the address whose mailbox it is")
        return self

    @model_validator(mode="after")
    def _keeps_passwords_off_the_network(self) -> Self:
        if self.tls == "none" and self.user and not fields.loopback(self.host):
            raise ValueError(
                f'tls = "none" sends the password to {self.host} in the clear; use "implicit" or "starttls"'
            )
        return self


class Imap(Login):
    """[[imap]], a mailbox to collect from. poll: seconds. since: how far to go back when it is first seen."""

    port: Port = 993
    tls: Tls = "implicit"
    user: Text
    folder: Text = "INBOX"
    after: Annotated[str, AfterValidator(fields.after)] = "seen"
    poll: Annotated[int, BeforeValidator(written(units.seconds))] = 60
    since: Span = timedelta(days=1)

    @property
    def name(self) -> str:
        """As `mailbox_name`."""
        return mailbox_name(self.host, self.user, self.folder)

    @model_validator(mode="after")
    def _can_sign_in(self) -> Self:
        if not (self.password_file or self.password_env or self.oauth2):
            raise ValueError("has no way to sign in; name password_file, password_env or oauth2")
        return self


class Web(Section):
    """[web], the client area; listen is None where it is off.

    proxies: whose word on where a request comes from counts (X-Forwarded-For): our own reverse proxies.
    """

    listen: Listen = Endpoint("tcp", "127.0.0.1", 8080)
    proxies: Many[Network] = ()


class Dkim(Section):
    """How our mail is signed (RFC 6376)."""

    domain: Text
    selector: Text
    key_file: Text


class Alarms(Login):
    """[outgoing.alarms], a second way out: for what the admin is to know of the first, too."""

    host: Text
    port: Port = 587
    tls: Tls = "starttls"
    user: str = ""


class Outgoing(Login):
    """[outgoing], the way out."""

    via: Literal["files", "smtp"] = "files"
    host: Text = "127.0.0.1"
    port: Port = 25
    tls: Tls = "none"
    user: str = ""
    give_up: Span = timedelta(days=5)
    dkim: Dkim | None = None
    alarms: Alarms | None = None


class Monitor(Section):
    """[monitor], what is looked after: where programs ask, and when something is trouble.

    disk_free: bytes. backup_after: None where somebody else looks after backups.
    """

    listen: Listen = None
    disk_free: Annotated[int, BeforeValidator(written(units.size))] = 500 * 1024**2
    mailbox_after: Span = timedelta(minutes=10)
    unprocessed_after: Span = timedelta(minutes=5)
    unsent_after: Span = timedelta(minutes=15)
    backup_after: SpanOrOff = timedelta(days=2)


class Trust(Section):
    """[trust], whom to believe. dns: a resolver of our own, None for the system's.

    trusted_authserv: our mail servers, by the name that they write into Authentication-Results.
    trusted_arc: domains of forwarders whose word about clients' mail counts (RFC 8617).
    relays: networks of our own mail servers. reports_per_day: how many reports go to one address, and as many balances
    and histories.
    """

    trusted_authserv: Many[Text] = ()
    trusted_arc: Many[Text] = ()
    relays: Many[Network] = ()
    dns: Annotated[Endpoint | None, BeforeValidator(written(fields.host_and_port))] = None
    technicians: Literal["strict", "token", "off"] = "strict"
    clients: Literal["require", "refuse-fail", "off"] = "refuse-fail"
    reports_per_day: Annotated[int, Field(ge=1)] = 10
