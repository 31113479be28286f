"""`login`: sign in at a provider, for mail servers that take no password."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import click

from mailgate.beginning import TO_FILL_IN
from mailgate.cli.common import Place, as_json, pass_place, show, when
from mailgate.cli.terminal import harmless
from mailgate.core import oauth
from mailgate.core.oauth import Tokens
from mailgate.core.settings.rules import Rules
from mailgate.core.writing.phrases import count
from mailgate.edges import online
from mailgate.edges.oauth import access_to, client_secret_of
from mailgate.errors import NotFound, Refused, StoreUnavailable
from mailgate.service import logins
from mailgate.service.logins import Account
from mailgate.service.take import utc_now
from mailgate.store import outbox

# The daemon may be renewing just now.
_PATIENCE_SECONDS = 60


@click.command()
@click.argument("provider", type=click.Choice(["google", "microsoft"]))
@click.argument("user", required=False)
@as_json
@pass_place
def login(place: Place, provider: str, user: str | None, json_wanted: bool) -> None:
    """Sign in for a mailbox whose server takes no password (OAuth2), in a browser on whatever machine.

    The rules say which, and as which program: oauth2 = { provider = "google", client_id = "…" } under [[imap]] or
    [outgoing]. USER is only needed where they name several. A daemon that runs goes on by itself then.
    """
    from mailgate.edges import signing_in  # with an HTTP server, which no other verb needs

    rules = place.rules()
    account = _account(rules, provider, user)
    client_secret = client_secret_of(account.oauth2, place.rules_path.parent)
    answer = signing_in.sign_in(account, client_secret, _tell, _typed())
    try:
        given = oauth.granted(account.oauth2.client_id, answer, utc_now())
    except ValueError as error:
        raise Refused(f"{account.name}: {error}; see the scope of the program at the provider") from None
    with logins.alone(place.data, account, _PATIENCE_SECONDS):
        logins.keep(place.data, account, given)
    mails = _let_go(place, rules, account)
    found = {**_found(place, rules, account, given), "mails": mails}
    show(found, json_wanted, _told)
    if not all(one["good"] for one in found["mailboxes"]):
        raise click.exceptions.Exit(Refused.exit_code)


def _account(rules: Rules, provider: str, user: str | None) -> Account:
    """The one that is meant. Raises NotFound where the rules have none, Refused where they have several, or do not
    say as which program."""
    ours = [account for account in logins.accounts(rules) if account.oauth2.provider == provider]
    if not ours:
        what = f'oauth2 = {{ provider = "{provider}", client_id = "…" }}'
        raise NotFound(f"no login at {provider} in the rules; under [[imap]] or [outgoing] goes: {what}")
    named = [account for account in ours if user is None or account.user.casefold() == user.casefold()]
    users = ", ".join(account.user for account in ours)
    if not named:
        raise NotFound(f"{user}: no login at {provider} in the rules; there is: {users}")
    if len(named) > 1:
        raise Refused(f"say which: mailgate login {provider} USER, which is one of: {users}")
    if named[0].oauth2.client_id == TO_FILL_IN:
        raise Refused(f"{named[0].name}: client_id in the rules is still to be filled in; see docs/operations.md")
    return named[0]


def _let_go(place: Place, rules: Rules, account: Account) -> int:
    """Have the mails that waited for it sent at once; how many. Where the store is in use they go by themselves."""
    if logins.sends(rules, account):
        with suppress(NotFound, StoreUnavailable), place.store() as store, store.write() as tx:
            return outbox.retry_for_want_of(tx, account.name, utc_now())
    return 0


def _found(place: Place, rules: Rules, account: Account, given: Tokens) -> dict[str, Any]:
    """What came of it: the login, and whether the mailboxes that it is for can be opened now."""
    access = access_to(account, place.rules_path.parent, place.data)
    boxes = [box for box in rules.imap if logins.account_of(box) == account]
    tried = [online.try_mailbox(box, access) for box in boxes]
    return {
        "login": account.name,
        "ends_at": when(given.last_until, rules.zone),
        "mailboxes": [{"what": one.what, "good": one.good, "told": one.told, "do": one.todo or None} for one in tried],
    }


def _told(found: dict[str, Any]) -> str:
    lasts = f"until {found['ends_at']}; the program is in testing" if found["ends_at"] else "and renewed by itself"
    lines = [f"{found['login']}: signed in, {lasts}"]
    if found["mails"]:
        lines.append(
            f"{count(found['mails'], 'mail that waited for it goes', 'mails that waited for it go', 'en')} out now"
        )
    for one in found["mailboxes"]:
        lines += [f"{one['what']}: {one['told']}", *([f"  {one['do']}"] if one["do"] else [])]
    return "\n".join(lines)


def _tell(line: str) -> None:
    """To stderr: stdout is for the result."""
    click.echo(harmless(line), err=True)


def _typed() -> int | None:
    """The file handle of stdin; None where there is none."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None


VERBS = (login,)
