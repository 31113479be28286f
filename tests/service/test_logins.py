"""What is kept of logins at providers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailgate.core import oauth
from mailgate.core.settings.servers import OAuth2
from mailgate.service import backup, logins
from mailgate.service.logins import Account
from tests.stored import stored_desk
from tests.support import NOW, rules

GOOGLE = {"provider": "google", "client_id": "desk-1"}
BOX = {"host": "imap.example.es", "user": "soporte@example.es", "oauth2": GOOGLE}
OUT = {"via": "smtp", "host": "smtp.example.es", "tls": "starttls", "user": "soporte@example.es", "oauth2": GOOGLE}


def tokens(refresh: str = "refresh-secret") -> oauth.Tokens:
    return oauth.granted("desk-1", {"access_token": "access-secret", "refresh_token": refresh}, NOW)


def test_one_login_serves_all_servers_of_a_user() -> None:
    other = {**BOX, "user": "otro@example.es"}
    named = rules(imap=[BOX, {**BOX, "folder": "Spam"}, other], outgoing=OUT)
    assert [account.name for account in logins.accounts(named)] == [
        "google soporte@example.es",
        "google otro@example.es",
    ]
    assert logins.accounts(rules(outgoing={**OUT, "via": "files"})) == []


def test_each_that_is_missing_is_told_once_where_it_stands(tmp_path: Path) -> None:
    named = rules(imap=[BOX, {**BOX, "folder": "Spam"}], outgoing=OUT)
    (fault,) = logins.faults(named, tmp_path)
    assert fault.path == ("imap", 0, "oauth2")
    assert fault.what.endswith("run: mailgate login google soporte@example.es")
    logins.keep(tmp_path, logins.accounts(named)[0], tokens())
    assert list(logins.faults(named, tmp_path)) == []


def test_backup_has_no_tokens_and_a_restore_leaves_those_that_are_there(tmp_path: Path) -> None:
    account = Account(OAuth2.model_validate(GOOGLE), "soporte@example.es")
    data = tmp_path / "data"
    data.mkdir()
    with stored_desk(data) as desk:
        logins.keep(data, account, tokens())
        made = backup.back_up(desk.store, tmp_path / "copy.db", NOW, lambda *_: None, force=False)
    assert made.keys
    for file in (made.file, made.keys):
        assert b"-secret" not in file.read_bytes()
    logins.keep(data, account, tokens("later-secret"))
    backup.restore(data, made.file, NOW, force=False)
    assert logins.tokens(data, account).refresh == "later-secret"


@pytest.mark.parametrize("user", ["soporte@example.es", "../../x", "DOMAIN\\user", "señor@example.es", "a b"])
def test_any_user_has_a_file_of_their_own_in_the_folder(tmp_path: Path, user: str) -> None:
    account = Account(OAuth2.model_validate(GOOGLE), user)
    logins.keep(tmp_path, account, tokens())
    assert logins.tokens(tmp_path, account) == tokens()
    (file,) = (tmp_path / "tokens").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
