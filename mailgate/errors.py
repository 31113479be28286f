"""The errors that leave a layer. Each knows its exit code and the reply an SMTP peer gets.

Temporary unless proven permanent: a `.forward` pipe and a peer both try again (RFC 5321 section 4.2.1).
The reply says nothing of our insides; the detail goes to the log.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from textwrap import shorten

_WHY_LENGTH = 150
_OF_THE_MACHINE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
)


def of_the_machine(error: BaseException | None) -> bool:
    """Whether it is the machine that lacks something now (handles, memory, room): no fault of what was worked on."""
    return isinstance(error, OSError) and error.errno in _OF_THE_MACHINE


class MailgateError(Exception):
    """Anything unforeseen: try again later."""

    exit_code = 75
    smtp_reply = "451 4.3.0 Try again later"


class StoreUnavailable(MailgateError):
    """The store is locked for too long, or its disk is full."""


class NoToken(MailgateError):
    """A provider gives no access token now (OAuth2); it is asked again."""


class LoginNeeded(NoToken):
    """It will give none until a person has signed in. login: as `mailgate login` takes it."""

    exit_code = 1

    def __init__(self, why: str, login: str) -> None:
        # Whose it is stands where the outbox cuts no error off.
        super().__init__(f"{shorten(why, _WHY_LENGTH, placeholder='…')}; run: mailgate login {login}")
        self.why = why


class SmtpRefusal(MailgateError):
    """Something that the peer must change; its reply is permanent."""

    exit_code = 1


class UnknownRecipient(SmtpRefusal):
    """The recipient is not an address of the desk."""

    smtp_reply = "550 5.1.1 No such address here"


class MailTooBig(SmtpRefusal):
    """The message is bigger than `smtp.max_size`."""

    smtp_reply = "552 5.3.4 Message too big"


class Refused(MailgateError):
    """A verb of the command line cannot be done; the text is the reason."""

    exit_code = 1


class NotFound(Refused):
    """What a verb names does not exist."""


@dataclass(frozen=True, slots=True)
class RulesProblem:
    """One thing that is wrong in the rules or in a template.

    line: 1-based, 0 where no line can be named. where: the key as an admin reads it, e.g. `desk.tag`.
    what: what is wrong and what would be right.
    """

    file: str
    line: int
    where: str
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.where, self.what) if part)


class RulesError(MailgateError):
    """rules.toml or a template is wrong; the last good rules stay in force."""

    exit_code = 2

    def __init__(self, problems: list[RulesProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
