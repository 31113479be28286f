"""What `check --online` does: every road is tried, and what was found is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import click

from mailgate.cli.common import Place, untouched
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import Imap
from mailgate.edges import online
from mailgate.edges.dns import Resolver
from mailgate.edges.oauth import Secret, secret_of
from mailgate.edges.online import Probe
from mailgate.edges.outbound import signer_of, transport_for
from mailgate.edges.own_domain import Finding, try_dns
from mailgate.errors import Refused
from mailgate.opening import running_daemon
from mailgate.service.take import utc_now
from mailgate.store import journal, messages

# Greylisting would take longer; it is met once and then never again.
_WAIT_SECONDS = 60.0


def tried(place: Place, json_wanted: bool, seconds: float = _WAIT_SECONDS) -> None:
    """Try everything and tell each finding. Exit 1 if anything is to be done."""
    rules, findings = place.rules(), []
    for finding in _findings(place, rules, seconds, quiet=json_wanted):
        findings.append(finding)
        if not json_wanted:
            click.echo(f"{'good' if finding.good else 'BAD '}  {finding.what}: {finding.told}")
            if finding.todo:
                click.echo(f"      {finding.todo}")
    if json_wanted:
        told = [{"what": one.what, "good": one.good, "told": one.told, "do": one.todo or None} for one in findings]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    if not all(finding.good for finding in findings):
        raise click.exceptions.Exit(Refused.exit_code)


def _findings(place: Place, rules: Rules, seconds: float, *, quiet: bool) -> Iterator[Finding]:
    folder = place.rules_path.parent
    mailboxes = [(box, secret_of(box, folder, place.data)) for box in rules.imap]
    for box, secret in mailboxes:
        yield online.try_mailbox(box, secret)
    returned: dict[Probe, bytes] = {}
    if rules.outgoing.via == "smtp":
        sent = online.probes(rules, utc_now())
        sending = asyncio.run(_send(place, rules, sent))
        yield sending
        if sending.good and not mailboxes and not running_daemon(place.data):
            todo = "start the daemon, which takes what the mail server hands over, and try again"
            yield Finding(f"mail to {rules.desk.address}", "nobody is there to take it", todo)
        elif sending.good:
            if not quiet:
                click.echo(f"      waiting for it to come back, {seconds:.0f} s at most …")
            returned = _wait(place, mailboxes, sent, seconds)
            yield from online.came_back(sent, returned)
    else:
        yield Finding("outgoing", 'mails go to files: via = "files"')
    if alarms := rules.outgoing.alarms:
        yield asyncio.run(online.try_alarms(rules, alarms, secret_of(alarms, folder, place.data), utc_now()))
    raw = next((raw for raw in returned.values() if raw), None)
    signer = signer_of(rules, place.rules_path)
    yield from try_dns(rules, Resolver(rules.trust.dns), raw, signer, utc_now())


async def _send(place: Place, rules: Rules, sent: list[Probe]) -> Finding:
    transport = transport_for(rules, place.rules_path, place.data)
    try:
        return await online.try_sending(rules, transport, sent, utc_now())
    finally:
        await transport.close()


def _wait(place: Place, mailboxes: list[tuple[Imap, Secret]], sent: list[Probe], seconds: float) -> dict[Probe, bytes]:
    """A mailbox has it, or the daemon took it, from there or from the mail server."""
    with untouched(place) as seen, seen.store() as store:

        def look(probe: Probe) -> bytes | None:
            with store.read() as tx:
                if messages.came(tx, probe.message_id):
                    kept = journal.of_message_id(tx, probe.message_id)
                    return kept.raw if kept else b""
            return online.fetch(mailboxes, probe)

        return online.wait_for(sent, look, seconds)
