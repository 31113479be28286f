"""Steps that cut by what stands in the text itself: quote marks, introductions, signatures."""

from __future__ import annotations

from mailgate.core.reading import past, quotes, signature
from mailgate.core.reading.cut import Cut, Kind
from mailgate.core.reading.opening import COMMAND_LINE, Opening

LINES_BELOW = 60
"""So many lines below a doubtful introduction are compared with the earlier messages."""


def drop_marked(cut: Cut) -> None:
    """Lines that begin with a quote mark (RFC 3676 section 4.5)."""
    marked = [at for at, mark in enumerate(cut.marked) if mark]
    if marked:
        cut.take(marked, Kind.QUOTED)
        cut.why.append(f"line {marked[0] + 1}: marked with >")


def drop_introduced(cut: Cut) -> None:
    """What programs introduce: marked lines below an introduction end, unmarked ones go on to the end."""
    cut.forward = _is_forward_in_marks(cut)
    for opening in quotes.openings(cut.bare, cut.marked):
        above_marks = _is_above_marks(cut, opening)
        if not above_marks and not opening.sure and not _recalled_below(cut, opening):
            continue
        cut.why.append(f"cut at line {opening.start + 1}: {opening}")
        cut.doubt = cut.doubt or opening.start in cut.fenced
        cut.take(range(opening.start, opening.end), Kind.QUOTED)
        if not above_marks:
            cut.take(range(opening.end, len(cut.kinds)), Kind.QUOTED)
            cut.unmarked, cut.forward = opening, cut.forward or opening.forward
            return


def _is_above_marks(cut: Cut, opening: Opening) -> bool:
    """Whether the quote that is introduced carries marks."""
    below = range(opening.end, len(cut.bare))
    following = next((at for at in below if cut.bare[at] or cut.marked[at]), None)
    return following is not None and cut.marked[following] and not opening.forward


def _is_forward_in_marks(cut: Cut) -> bool:
    """Apple Mail marks a forwarded message as it marks a quote."""
    first = next((at for at, mark in enumerate(cut.marked) if mark and cut.bare[at]), None)
    opening = quotes.find(cut.bare, first, first) if first is not None else None
    return opening is not None and opening.forward


def _recalled_below(cut: Cut, opening: Opening) -> bool:
    said = past.words("\n".join(cut.bare[opening.end : opening.end + LINES_BELOW]))
    return any(cut.earlier().known(said))


def drop_signatures(cut: Cut) -> None:
    """Signatures, to the end of the stretch they stand in, and what telephones add."""
    signed = False
    for stretch in cut.fresh_stretches():
        at, strong = _signature_in(cut, stretch)
        if signed and any(cut.bare[line] for line in range(stretch.start, stretch.stop if at is None else at)):
            cut.doubt = True
            cut.take(stretch, Kind.SIGNATURE)
        elif at is not None:
            signed = strong
            cut.doubt = cut.doubt or (not strong and _has_command(cut, range(at, stretch.stop)))
            cut.take(range(at, stretch.stop), Kind.SIGNATURE)
            cut.why.append(f"cut at line {at + 1}: signature")
    _drop_device_lines(cut)


def _signature_in(cut: Cut, stretch: range) -> tuple[int | None, bool]:
    """Where a signature begins in a stretch, and whether its mark is surely one."""
    for at in stretch:
        if signature.is_mark(cut.bare[at]) and at not in cut.fenced:
            return at, True
    tail = range(max(stretch.start, stretch.stop - 2 * signature.LINES_OF_SIGNATURE - 1), stretch.stop)
    for at in tail:
        line = cut.bare[at]
        if line[:2] in ("--", "__") and signature.is_weak_mark(line, cut.bare[at + 1 : stretch.stop]):
            cut.unsure = True
            return at, False
    return None, False


def _drop_device_lines(cut: Cut) -> None:
    """What telephones add, and what stands below it: nobody can tell whether it was typed."""
    for stretch in cut.fresh_stretches():
        written = False
        for at in stretch:
            if not (_stands_apart(cut, at, stretch) and signature.is_device_line(cut.bare[at])):
                written = written or bool(cut.bare[at])
            elif not written:
                cut.take([at], Kind.SIGNATURE)
            else:
                _drop_from_device_line(cut, range(at, stretch.stop))
                break


def _stands_apart(cut: Cut, at: int, stretch: range) -> bool:
    """Whether a line is the first or the last of a paragraph, and no code."""
    if at in cut.fenced:
        return False
    return at in (stretch[0], stretch[-1]) or not (cut.bare[at - 1] and cut.bare[at + 1])


def _drop_from_device_line(cut: Cut, rest: range) -> None:
    below = [cut.bare[at] for at in rest[1:] if cut.bare[at]]
    cut.take(rest, Kind.SIGNATURE)
    cut.why.append(f"cut at line {rest.start + 1}: added by a telephone")
    cut.unsure = cut.unsure or bool(below)
    cut.doubt = cut.doubt or _has_command(cut, rest) or not signature.looks_signed(below)


def _has_command(cut: Cut, lines: range) -> bool:
    return any(COMMAND_LINE.match(cut.bare[at]) for at in lines)
