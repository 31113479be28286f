"""The command line: verbs, exit codes, `--json`. The one place that maps errors to exit codes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import click

from mailgate import __version__
from mailgate.errors import MailgateError

MODULES: Mapping[str, tuple[str, ...]] = {
    "daemon": ("run",),
    "check": ("check",),
    "init": ("init",),
    "messages": ("inject", "explain"),
    "tickets": ("tickets", "ticket"),
    "lists": ("quarantine", "outbox"),
    "books": ("balance", "report", "sell", "refund", "audit"),
    "clients": ("client",),
    "login": ("login",),
    "sessions": ("sessions",),
    "hours": ("hours",),
    "guide": ("guide",),
    "backup": ("backup", "restore"),
    "keys": ("key",),
    "records": ("export", "erase", "looks"),
    "redact": ("redact",),
    "secrets": ("secret",),
    "status": ("status",),
    "demo": ("demo",),
}
"""Which module has which verbs."""


class Verbs(click.Group):
    """Loads the module of a verb when it is asked for: the daemon lives for months without what others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs there are."""
        return sorted(name for names in MODULES.values() for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A verb by its name, None where there is none."""
        for module, names in MODULES.items():
            if cmd_name in names:
                verbs = importlib.import_module(f"{__name__}.{module}").VERBS
                return next((verb for verb in verbs if verb.name == cmd_name), None)
        return None


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--rules",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("rules.toml"),
    help="The rules of the desk.  [default: ./rules.toml]",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    help="The folder with the store and the outbox.  [default: ./data]",
)
@click.version_option(__version__, prog_name="mailgate")
@click.pass_context
def cli(context: click.Context, rules: Path, data: Path) -> None:
    """An email-first help desk: mails become tickets, answers become minutes on a prepaid account.

    Exit codes: 0 done; 1 not found or refused; 2 wrong usage or wrong rules; 75 try again later.
    """
    from mailgate.cli.common import Place  # it brings the store and the templates: not for --help

    context.obj = Place(rules, data)


def main() -> int:
    """Run a verb and give its exit code; an error is one clear line on stderr, never a traceback."""
    try:
        ended = cli.main(prog_name="mailgate", standalone_mode=False)
    except click.Abort:
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except (click.ClickException, MailgateError, OSError, UnicodeEncodeError) as error:
        line, code = _told(error)
        click.echo(f"mailgate: {line}", err=True)
        return code
    # click gives the code of a verb that ends by itself with one, else what its function returns.
    return ended if isinstance(ended, int) else 0


def _told(error: Exception) -> tuple[str, int]:
    """What is wrong, and the exit code."""
    match error:
        case click.UsageError(ctx=click.Context() as context):
            return f"{error.format_message()} (see {context.command_path} --help)", error.exit_code
        case click.ClickException():
            return error.format_message(), error.exit_code
        case MailgateError():
            return str(error), error.exit_code
        case OSError():
            reason = error.strerror or str(error)
            return f"{error.filename}: {reason}" if error.filename else reason, MailgateError.exit_code
        case _:
            return "an argument is not UTF-8", click.UsageError.exit_code
