"""A week as a table, a line a day."""

from __future__ import annotations

from itertools import pairwise

from tests.week.play import Hour, Played

_MB = 1_000_000
_HEAD = (
    "day",
    "mails",
    "RSS, MB",
    "PSS, MB",
    "handles",
    "threads",
    "children",
    "log, MB",
    "data/, MB",
    "KB a mail",
    "CPU a mail, ms",
    "loop late, ms",
)


def written(played: Played) -> str:
    """Ranges are of the day's hours; data/ at its end; children: at most, with their RSS."""
    days = [[hour for hour in played.hours if hour.day == day] for day in range(played.hours[-1].day + 1)]
    starts = [days[0][0], *(day[-1] for day in days)]
    lines = [_line(before, day) for (before, _), day in zip(pairwise(starts), days, strict=True)]
    told = [f"| {' | '.join(_HEAD)} |", f"|{' --: |' * len(_HEAD)}", *lines, ""]
    told += [f"outcomes: {_counted(played.outcomes)}", f"refused by the gateway: {_counted(played.refused) or 'none'}"]
    told += [f"files: {', '.join(f'{name} {size / _MB:.1f} MB' for name, size in played.files.items())}"]
    return "\n".join(told)


def _line(before: Hour, day: list[Hour]) -> str:
    samples, last = [hour.sample for hour in day], day[-1]
    mails = last.messages - before.messages
    busiest = max(samples, key=lambda sample: sample.children_rss)
    cells = (
        f"{last.day + 1}",
        f"{mails}",
        _range([sample.rss / _MB for sample in samples]),
        _range([sample.pss / _MB for sample in samples]),
        _range([sum(sample.handles.values()) for sample in samples]),
        _range([sample.threads for sample in samples]),
        f"{busiest.children} ({busiest.children_rss / _MB:.0f} MB)",
        f"{max(sample.log for sample in samples) / _MB:.1f}",
        f"{last.sample.data / _MB:.1f}",
        f"{(last.sample.data - before.sample.data) / 1000 / max(mails, 1):.0f}",
        f"{(last.sample.cpu - before.sample.cpu) * 1000 / max(mails, 1):.1f}",
        f"{max(hour.lag for hour in day) * 1000:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _range(values: list[float] | list[int]) -> str:
    return f"{min(values):.0f}–{max(values):.0f}"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
