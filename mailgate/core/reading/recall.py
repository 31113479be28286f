"""Steps that cut by what was said before in the ticket, whatever the language and the layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from mailgate.core.reading import past, quotes
from mailgate.core.reading.cut import Cut, Kind
from mailgate.core.reading.opening import ATTRIBUTION, COMMAND_LINE, is_rule
from mailgate.core.reading.past import Past

LINES_INTRODUCING = 4

PASTED = 12
"""So many words that open an earlier message are a quote even where nothing introduces them."""

PASTED_ON_TOP = 40
"""The same with nothing written above them: technicians begin with the same words day by day."""

LONG_QUOTED_LINE = 60
"""From this length on, a quoted line may have been broken on the way, its tail without a mark."""


def drop_broken_tails(cut: Cut) -> None:
    """The tails of quoted lines that were broken on the way and lost their marks.

    An answer may stand there as well: an earlier message tells, else nobody can.
    """
    for at in range(1, len(cut.lines)):
        if not (cut.bare[at] and cut.kinds[at] is Kind.FRESH and cut.marked[at - 1] and cut.bare[at - 1]):
            continue
        earlier = cut.earlier()
        quoted = past.words(cut.bare[at - 1])
        known = earlier.known(quoted[-past.SPAN :] + past.words(cut.bare[at]))
        if all(known):
            cut.take([at], Kind.QUOTED)
            cut.marked[at] = True
        elif not any(earlier.known(quoted)) and _looks_broken(cut, at):
            cut.take([at], Kind.QUOTED)
            cut.doubt = cut.marked[at] = True
            cut.why.append(f"line {at + 1}: may be the end of the quoted line above")


def _looks_broken(cut: Cut, at: int) -> bool:
    goes_on = at + 1 < len(cut.marked) and cut.marked[at + 1]
    return goes_on and len(cut.lines[at - 1]) >= LONG_QUOTED_LINE and cut.bare[at][0].islower()


def drop_recalled(cut: Cut) -> None:
    """What stands in an earlier message, from its beginning on, though nothing introduces it."""
    lines = cut.fresh_lines() if cut.history else []
    first_words = {past.first_word(cut.bare[at]) for at in lines}
    begins = {past.beginning(message) for message in cut.history if past.first_word(message) in first_words}
    if not begins:
        return
    said = [past.words(cut.bare[at]) for at in lines]
    if begins.isdisjoint(past.runs([word for words in said for word in words])):
        return
    for places in _pasted(said, begins, cut.earlier()):
        above, last = _introducing(cut, lines[places[0]]), lines[places[-1]]
        cut.take(range(above, last + 1), Kind.QUOTED)
        cut.why.append(f"cut at line {above + 1}: stands in an earlier message of the ticket")
        cut.doubt = cut.doubt or any(at > last for at in cut.fresh_lines())


def _pasted(said: Sequence[Sequence[str]], begins: set[past.Run], earlier: Past) -> Iterator[list[int]]:
    """Groups of lines that were said before, long enough and from the beginning of a message on.

    Never all of the text: whoever writes the same answer twice means it twice.
    """
    known = [all(flags) for flags in _known(said, earlier)]
    if all(known):
        return
    for is_known, group in groupby(range(len(said)), key=known.__getitem__):
        places = list(group)
        words = [word for place in places for word in said[place]]
        enough = PASTED if places[0] else PASTED_ON_TOP
        if is_known and len(words) >= enough and not begins.isdisjoint(past.runs(words)):
            yield places


def _introducing(cut: Cut, at: int) -> int:
    """The first of the lines right above that introduce a quote in a way that we do not know."""
    first = at
    for above in range(at - 1, max(at - LINES_INTRODUCING, 0) - 1, -1):
        line = cut.bare[above]
        if not line:
            continue
        dated = line[-1] == ":" and any(char.isdigit() for char in line)
        if (
            cut.kinds[above] is not Kind.FRESH
            or COMMAND_LINE.match(line)
            or not ("@" in line or dated or is_rule(line))
        ):
            break
        first = above
    return first


def _known(said: Sequence[Sequence[str]], earlier: Past) -> list[list[bool]]:
    """For each line of words, which of them were said before; runs go on from line to line."""
    flags = iter(earlier.known([word for words in said for word in words]))
    return [list(islice(flags, len(words))) for words in said]


def doubt_answers_below(cut: Cut) -> None:
    """Look for answers inside an unmarked quote: what no earlier message holds, among what one does."""
    if cut.unmarked is None or cut.forward:
        return
    below = [line.lstrip("> ") for line in cut.bare[cut.unmarked.end :]]
    if not cut.history:
        commands = any(COMMAND_LINE.match(line) for line in below)
        cut.doubt = cut.doubt or (commands and not cut.fresh_lines())
        return
    known = _mostly_known(below, cut)
    cut.unsure = cut.unsure or (cut.unmarked.kind == ATTRIBUTION and not any(known))
    if any(_is_answer(written, between, cut) for written, between in _unknown(below, known)):
        cut.doubt = True
        cut.why.append("the quoted part holds lines that no earlier message holds")


def suspect_answers_between(cut: Cut) -> None:
    """Look for what was typed into a marked quote, as people do in HTML: who reads is shown the whole.

    Quotes as they were sent are told at a glance, which spares the index. Where most of a quote is unknown, it is of a
    mail that no ticket keeps.
    """
    lines = zip(cut.bare, cut.marked, cut.kinds, strict=True)
    quoted = [bare for bare, marked, kind in lines if marked and kind is Kind.QUOTED] if cut.history else []
    if all(any(line in message for message in reversed(cut.history)) for line in quoted):
        return
    known = _mostly_known(quoted, cut)
    unknown = _unknown(quoted, known) if 2 * sum(known) > sum(map(bool, quoted)) else ()
    if any(between and _is_answer(written, between, cut) for written, between in unknown):
        cut.unsure = True
        cut.why.append("the quote holds lines that no earlier message holds")


def _mostly_known(lines: Sequence[str], cut: Cut) -> list[bool]:
    """For each line, whether at least half of its words were said before."""
    said = [past.words(line) for line in lines]
    return [2 * sum(flags) >= len(flags) > 0 for flags in _known(said, cut.earlier())]


def _is_answer(written: Sequence[str], between: bool, cut: Cut) -> bool:
    """Whether unknown lines below known ones look typed; at the very end programs add lines of theirs."""
    if any(COMMAND_LINE.match(line) for line in written):
        return True
    enough = sum(len(past.words(line)) for line in written) > 2
    return enough and (between or not cut.fresh_lines())


def _unknown(lines: Sequence[str], known: Sequence[bool]) -> Iterator[tuple[list[str], bool]]:
    """Unknown lines below known ones of the same quoted message, and whether there are known ones below."""
    openings = quotes.openings(lines, [False] * len(lines))
    introducing = {at for opening in openings for at in range(opening.start, opening.end)}
    seen, written = False, list[str]()
    for at, line in enumerate(lines):
        if at in introducing:
            seen, written = False, []
        elif known[at]:
            if written:
                yield written, True
            seen, written = True, []
        elif seen and line and not _is_picture(line):
            written.append(line)
    if written:
        yield written, False


def _is_picture(line: str) -> bool:
    """Whether a line stands for a picture, as "[cid:image001.png@01DC4CB1]" does."""
    return line[0] == "[" and line[-1] == "]" and " " not in line
