"""The figures as one table for people: medians over the rounds, a column for each level."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Line = dict[str, Any]

_ROWS = (
    ("bare pipeline, 16 kept connections, per s", "bare.16.kept", "processed_per_s"),
    ("16 kept connections, delivery held: processed per s", "smtp.16.kept.held", "processed_per_s"),
    ("… taken per s", "smtp.16.kept.held", "taken_per_s"),
    ("bare pipeline, 16 connections, one mail each, per s", "bare.16.each", "processed_per_s"),
    ("16 connections, one mail each, delivery held: processed per s", "smtp.16.each.held", "processed_per_s"),
    ("16 kept connections, with delivery: processed per s", "smtp.16.kept.files", "processed_per_s"),
    ("1 kept connection, with delivery: processed per s", "smtp.1.kept.files", "processed_per_s"),
    ("IMAP from Dovecot, with delivery: processed per s", "imap.files", "processed_per_s"),
    ("CPU per message (16 kept, held), ms", "smtp.16.kept.held", "cpu_ms_per_message"),
    ("250 to acknowledgement in the outbox, one at a time: median, ms", "one_by_one", "ack_ms_median"),
    ("… 95 %, ms", "one_by_one", "ack_ms_p95"),
    ("… 1 connection at full load: median, ms", "smtp.1.kept.files", "ack_ms_median_under_load"),
    ("… 16 connections at full load: median, ms", "smtp.16.kept.held", "ack_ms_median_under_load"),
    ("idle: CPU, %", "one_by_one", "idle_cpu_percent"),
    ("idle: memory (PSS), MB", "one_by_one", "idle_pss_mb"),
)
_RATIOS = (
    ("share of the bare pipeline, kept connections, %", "smtp.16.kept.held", "bare.16.kept"),
    ("share of the bare pipeline, one mail each, %", "smtp.16.each.held", "bare.16.each"),
)


def written(lines: Sequence[Line]) -> str:
    """A table in Markdown, with what it was seen on above it."""
    levels = list(dict.fromkeys(line["tickets"] for line in lines if line["bench"] != "machine"))
    machine = next(line for line in lines if line["bench"] == "machine")
    rows = [[name, *(_median(lines, bench, level, figure) for level in levels)] for name, bench, figure in _ROWS]
    rows += [[name, *(_share(lines, one, other, level) for level in levels)] for name, one, other in _RATIOS]
    rows.append(["peak memory (PSS), MB", *(_peak(lines, level) for level in levels)])
    head = ["", *(f"{level:,} tickets" for level in levels)]
    told = [row for row in rows if any(row[1:])]
    body = "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---", *("--:" for _ in levels)], *told))
    return f"{_machine(machine)}\n\n{body}"


def _machine(line: Line) -> str:
    return (
        f"{line['cores']} cores ({line['processor']}), Python {line['python']}, SQLite {line['sqlite']};"
        f" fsync {line['fsync_ms']} ms, a loop of 300,000 steps {line['loop_ms']} ms, load {line['load']} at the start"
    )


def _values(lines: Sequence[Line], bench: str, level: int, figure: str) -> list[float]:
    return [line[figure] for line in lines if line["bench"] == bench and line["tickets"] == level]


def _median(lines: Sequence[Line], bench: str, level: int, figure: str) -> str:
    found = _values(lines, bench, level, figure)
    return f"{statistics.median(found):g}" if found else ""


def _share(lines: Sequence[Line], one: str, other: str, level: int) -> str:
    """The median of the rounds' own ratios: both were measured in the same minute."""
    figure = "processed_per_s"
    pairs = zip(_values(lines, one, level, figure), _values(lines, other, level, figure), strict=False)
    ratios = [ours / theirs for ours, theirs in pairs]
    return f"{statistics.median(ratios) * 100:.0f}" if ratios else ""


def _peak(lines: Sequence[Line], level: int) -> str:
    peaks = [line["peak_pss_mb"] for line in lines if line["tickets"] == level and "peak_pss_mb" in line]
    return f"{max(peaks):g}" if peaks else ""
