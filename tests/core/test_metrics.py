"""What Prometheus reads."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from mailgate.core.health import LoginState, Mailbox
from mailgate.core.metrics import exposition
from tests.core.test_health import WELL
from tests.support import NOW

DAY = timedelta(days=1)
LINE = re.compile(r'mailgate_[a-z_]+(\{[a-z]+="([^"\\\n]|\\[\\"n])*"\})? -?[0-9.]+(e[+-]?[0-9]+)?')


def test_every_line_is_a_comment_or_a_sample_with_its_type_before_it() -> None:
    boxes = (Mailbox('imap.x/we"ird\\/IN\nBOX', NOW), Mailbox("imap.y/b/INBOX", None, NOW, "refused"))
    text = exposition(replace(WELL, mailboxes=boxes), True, 0.25)
    assert text.endswith("\n")
    typed = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            assert LINE.fullmatch(line), line
            assert re.split(r"[ {]", line)[0] in typed
    assert len(typed) >= 12


def test_numbers_are_told_and_what_never_was_is_left_out() -> None:
    text = exposition(replace(WELL, mailboxes=(Mailbox("m", NOW), Mailbox("n", None, NOW, "x"))), False, 0.25)
    assert "mailgate_healthy 0.0\n" in text
    assert f'mailgate_last_mail_timestamp_seconds{{road="smtp"}} {NOW.timestamp()!r}\n' in text
    assert 'road="lmtp"' not in text
    assert 'mailgate_mailbox_reachable{mailbox="m"} 1.0\n' in text
    assert 'mailgate_mailbox_reachable{mailbox="n"} 0.0\n' in text
    assert "mailgate_loop_lag_seconds 0.25\n" in text
    assert "mailgate_backup_timestamp_seconds" not in text


def test_age_and_end_of_tokens_are_told() -> None:
    logins = (
        LoginState("google a@b.es", NOW, NOW + DAY),
        LoginState("google c@d.es", error="nobody has signed in yet"),
    )
    text = exposition(replace(WELL, logins=logins), True, 0.25)
    assert 'mailgate_login_valid{login="google a@b.es"} 1.0\n' in text
    assert 'mailgate_login_valid{login="google c@d.es"} 0.0\n' in text
    assert f'mailgate_login_token_timestamp_seconds{{login="google a@b.es"}} {NOW.timestamp()!r}\n' in text
    assert f'mailgate_login_ends_timestamp_seconds{{login="google a@b.es"}} {(NOW + DAY).timestamp()!r}\n' in text
    assert 'timestamp_seconds{login="google c@d.es"}' not in text
