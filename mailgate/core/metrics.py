"""The machinery's health as numbers, in Prometheus' text format 0.0.4. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from mailgate.core.health import Health

Sample = tuple[Mapping[str, str], float | datetime | None]


def exposition(health: Health, well: bool, lag: float) -> str:
    """All metrics. What there is nothing to say of is left out. lag: seconds that the event loop was late."""
    return "".join(_family(name, told, samples) for name, told, samples in _families(health, well, lag))


def _families(health: Health, well: bool, lag: float) -> Iterator[tuple[str, str, list[Sample]]]:
    boxes = [({"mailbox": box.name}, box) for box in health.mailboxes]
    yield "healthy", "1 where nothing is wrong, else 0.", [({}, well)]
    yield (
        "last_mail_timestamp_seconds",
        "When the last message was taken, by road.",
        [({"road": road}, at) for road, at in health.roads.items()],
    )
    yield (
        "mailbox_last_mail_timestamp_seconds",
        "When the last message of a mailbox was taken.",
        [(labels, box.taken_at) for labels, box in boxes],
    )
    yield (
        "mailbox_reachable",
        "1 where a mailbox can be read, else 0.",
        [(labels, box.failing_since is None) for labels, box in boxes],
    )
    yield (
        "mailbox_untidied",
        "Messages of a mailbox that were taken and not put away yet.",
        [(labels, box.untidied.count) for labels, box in boxes],
    )
    ways = [({"login": login.name}, login) for login in health.logins]
    yield (
        "login_valid",
        "1 where a provider renews the token of a login, else 0.",
        [(labels, not login.error) for labels, login in ways],
    )
    yield (
        "login_token_timestamp_seconds",
        "When the token of a login was renewed last.",
        [(labels, login.renewed_at) for labels, login in ways],
    )
    yield (
        "login_ends_timestamp_seconds",
        "When nothing renews the token of a login any more, if nobody does before.",
        [(labels, login.ends_at) for labels, login in ways],
    )
    for name, what, backlog in (
        ("unprocessed", "Messages that wait to be processed.", health.unprocessed),
        ("undecided", "Messages that wait for an answer of the DNS.", health.undecided),
        ("unsent", "Mails that wait to be sent.", health.unsent),
        ("quarantined", "Messages in quarantine.", health.quarantine),
        ("failed", "Messages in quarantine that the program failed on.", health.failures),
    ):
        yield name, what, [({}, backlog.count)]
        yield f"{name}_oldest_timestamp_seconds", f"{what[:-1]}: since when the oldest does.", [({}, backlog.since)]
    yield "given_up", "Mails of the last week that will not be sent.", [({}, health.given_up)]
    yield "disk_free_bytes", "Free on the disk of the data.", [({}, health.disk_free)]
    yield "disk_size_bytes", "Size of the disk of the data.", [({}, health.disk_size)]
    yield "backup_timestamp_seconds", "When the last good backup was made.", [({}, health.backup_at)]
    yield "audit_timestamp_seconds", "When the books were proven last.", [({}, health.audited_at)]
    yield "books_halted", "1 where the books do not add up, else 0.", [({}, health.halted_since is not None)]
    yield "loop_lag_seconds", "How late the event loop was at most within the last minute.", [({}, lag)]


def _family(name: str, told: str, samples: list[Sample]) -> str:
    lines = [f"mailgate_{name}{_labels(labels)} {_number(value)}\n" for labels, value in samples if value is not None]
    head = f"# HELP mailgate_{name} {told}\n# TYPE mailgate_{name} gauge\n"
    return head + "".join(lines) if lines else ""


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float | datetime) -> str:
    return repr(float(value.timestamp() if isinstance(value, datetime) else value))
