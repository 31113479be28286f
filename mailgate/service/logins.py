"""What providers gave for the logins of the rules (OAuth2): a file each in `data/tokens`, for us alone.

They are in no backup: who restores one on another machine signs in again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mailgate import disk
from mailgate.core import oauth
from mailgate.core.health import LoginState
from mailgate.core.oauth import Tokens
from mailgate.core.settings.faults import Fault
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import Login, OAuth2
from mailgate.errors import LoginNeeded, NoToken, Refused, of_the_machine

FOLDER = "tokens"


@dataclass(frozen=True, slots=True)
class Account:
    """Whose mail servers a provider lets us sign in at: one login, however many sections of the rules name it."""

    oauth2: OAuth2
    user: str

    @property
    def name(self) -> str:
        """For people, and as `mailgate login` takes it."""
        return f"{self.oauth2.provider} {self.user}"

    def file(self, data: Path) -> Path:
        """Where its tokens are."""
        return data / FOLDER / f"{self.oauth2.provider}-{quote(self.user, safe='@+')}.json"


def account_of(login: Login) -> Account | None:
    """None where it signs in with a password."""
    return Account(login.oauth2, login.user) if login.oauth2 else None


def accounts(rules: Rules) -> list[Account]:
    """Those that the rules name, each once."""
    found = [account for _, way in rules.logins if (account := account_of(way))]
    return list({account.name: account for account in found}.values())


def sends(rules: Rules, account: Account) -> bool:
    """Whether mail goes out by it."""
    return any(account_of(way) == account for path, way in rules.logins if path[0] == "outgoing")


def faults(rules: Rules, data: Path) -> Iterator[Fault]:
    """Where in the rules somebody has to sign in first, each account once."""
    told = set()
    for path, way in rules.logins:
        account = account_of(way)
        if account and account.name not in told and (error := state(data, account).error):
            told.add(account.name)
            yield Fault((*path, "oauth2"), f"{error}; run: mailgate login {account.name}")


def tokens(data: Path, account: Account) -> Tokens:
    """Raises LoginNeeded where there are none, or none that can be used."""
    file = account.file(data)
    try:
        disk.check_private(file)
        found = oauth.read(file.read_text("utf-8"))
    except FileNotFoundError:
        raise LoginNeeded("nobody has signed in yet", account.name) from None
    except Refused:
        raise LoginNeeded(f"others may read {file}", account.name) from None
    except ValueError:
        raise LoginNeeded(f"{file} holds no tokens", account.name) from None
    if found.client_id != account.oauth2.client_id:
        raise LoginNeeded("client_id has changed since somebody signed in", account.name)
    return found


def keep(data: Path, account: Account, given: Tokens) -> None:
    """Have them on the disk, whole, in the place of those that were."""
    file = account.file(data)
    _make_folder(data)
    fresh = not file.exists()
    disk.put(file, oauth.written(given))
    if fresh:
        disk.owned_like(file, data)


@contextlib.contextmanager
def alone(data: Path, account: Account, patience: float) -> Iterator[None]:
    """While one renews, another waits, in this process or beside it. Raises NoToken after so many seconds."""
    _make_folder(data)
    file = account.file(data).with_suffix(".lock")
    handle = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        disk.owned_like(file, data)
        if not disk.locked(handle, patience):
            raise NoToken(f"{account.name}: another renewal of the token takes too long")
        yield
    finally:
        os.close(handle)


def state(data: Path, account: Account) -> LoginState:
    """How a login stands, as far as the files tell."""
    try:
        found = tokens(data, account)
    except LoginNeeded as error:
        return LoginState(account.name, error=error.why)
    except OSError as error:  # without file handles nobody can tell, and it is no fault of the login
        return LoginState(account.name, error="" if of_the_machine(error) else str(error))
    ends_at = found.ends_at(account.oauth2.provider)
    return LoginState(account.name, found.renewed_at, ends_at, found.refused_at, found.refusal)


def _make_folder(data: Path) -> None:
    folder = data / FOLDER
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        disk.owned_like(folder, data)
