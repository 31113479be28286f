"""What was written now, told apart from what is quoted, under two opposite policies.

`fresh` is strict, for commands and for text that goes to a client: only what is surely written now.
`shown` is generous, for those who read the ticket: nothing of what was written may be lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mailgate.core.mail import Mail, Reading
from mailgate.core.reading import html, marks, recall
from mailgate.core.reading.cut import Cut, Kind
from mailgate.core.reading.opening import COMMAND_LINE
from mailgate.core.reading.quotewords import FORWARD_PREFIXES
from mailgate.core.reading.signature import looks_signed

PARTS_DISAGREE = "parts_disagree"
INTERLEAVED = "interleaved"

STEPS: tuple[Callable[[Cut], None], ...] = (
    marks.drop_marked,
    marks.drop_introduced,
    recall.drop_broken_tails,
    recall.drop_recalled,
    marks.drop_signatures,
    recall.doubt_answers_below,
    recall.suspect_answers_between,
)

LITTLE = 3
"""An answer of fewer words is shown with what it answers."""

LONGEST_STUB = 300
"""A text part of up to so many characters may only say that the message is in HTML."""

WRAPPED_AT = 60
"""Programs that wrap their text part break lines that are longer than this."""

_FORWARD = re.compile(
    rf"\s*(?:\[[^\[\]]{{0,80}}\]\s*)*(?:{'|'.join(FORWARD_PREFIXES)})\s*(?:\[\d+\]\s*)?:", re.IGNORECASE
)
_MARKUP = re.compile(r"<[^<>]*>|[*_\s]+")
_NUMBER_SIGN_IN_HTML = re.compile(
    r"#(?<![&\"'=(]#)(?![0-9a-f]{3,8}\b)|＃(?<![&\"'=(]＃)(?![0-9a-f]{3,8}\b)"
    r"|&(?:num|#0*35|#x0*23|#0*65283|#x0*ff03);",
    re.IGNORECASE,
)
"""Also as an entity; colours and anchors are not meant. That each branch begins with its character makes it fast."""


def read(mail: Mail, history: Sequence[str], first: bool) -> Reading:
    """Tell the fresh text of a message from its quoted history. Never raises.

    history: whole plain texts of earlier messages of the ticket, received and sent, newest last.
    first: the message opens a ticket, so that all of its text is shown.
    """
    if mail.ahead is not None and first and not history:
        return mail.ahead.reading
    whole, from_html = source(mail)
    found = cut(whole, history)
    fresh = found.text()
    forward = found.forward or bool(_FORWARD.match(mail.subject))
    doubt = INTERLEAVED if found.doubt else ""
    why = [*found.why[:5]] or ["nothing quoted"]
    if not from_html and _parts_disagree(mail, found, history):
        doubt = PARTS_DISAGREE
        why.append("the HTML part holds other commands than the text part")
    whole_needed = first or forward or bool(doubt) or _loses(found, fresh)
    shown = whole if whole_needed else fresh
    return Reading(fresh, shown, whole, doubt, forward, "; ".join(why))


def cut(text: str, history: Sequence[str]) -> Cut:
    """Tell the lines of a text apart."""
    found = Cut.of(text, history)
    for step in STEPS:
        step(found)
    return found


def source(mail: Mail) -> tuple[str, bool]:
    """The text to read, with "\\n" line ends, and whether it was made from the HTML part."""
    text = mail.text.replace("\r\n", "\n").replace("\r", "\n")
    if text.strip() and not (len(text) <= LONGEST_STUB and "html" in text.lower() and _is_stub(text, mail.html)):
        return text, False
    return html.to_text(mail.html) or text, True


def _is_stub(text: str, body: str) -> bool:
    """Whether a text part only says that the message is in HTML: it then says what the HTML does not."""
    seen = html.to_text(body)
    return bool(seen) and " ".join(text.split()) not in " ".join(seen.split())


def _loses(found: Cut, fresh: str) -> bool:
    """Whether a reader of only the fresh text might miss something: it is little, or lies among quotes."""
    if found.unsure or len(fresh.split(None, LITTLE)) < LITTLE:
        return True
    signed = [line for line, kind in zip(found.bare, found.kinds, strict=True) if kind is Kind.SIGNATURE]
    if not looks_signed([line for line in signed if line]):
        return True
    fresh_lines = found.fresh_lines()
    quoted = next((at for at, kind in enumerate(found.kinds) if kind is Kind.QUOTED), len(found.kinds))
    nothing_cut = not signed and quoted == len(found.kinds)
    return nothing_cut or fresh_lines[-1] > quoted


def _parts_disagree(mail: Mail, found: Cut, history: Sequence[str]) -> bool:
    """Whether the HTML part, which the sender saw, holds other fresh commands than the text part.

    A command that only one part quotes is a disagreement as well, unless it is the text part: there
    it does not count anyway.
    """
    typed = _commands(found, fresh=True)
    if not mail.html or not (typed or _NUMBER_SIGN_IN_HTML.search(mail.html)):
        return False
    seen = cut(html.to_text(mail.html), history)
    if not any(seen.bare):
        return False
    shown = _commands(seen, fresh=True)
    quoted = _commands(found, fresh=False)
    shown = [command for command in shown if command not in quoted or command in typed]
    return len(typed) != len(shown) or not all(map(_same, typed, shown))


def _commands(found: Cut, *, fresh: bool) -> list[str]:
    """The lines that may be commands, without markup and blanks: programs differ in both."""
    lines = zip(found.bare, found.kinds, strict=True)
    chosen = (line for line, kind in lines if (kind is Kind.FRESH) is fresh and COMMAND_LINE.match(line))
    return [_MARKUP.sub("", line.replace("＃", "#")).casefold() for line in chosen]


def _same(typed: str, shown: str) -> bool:
    return typed == shown or (len(typed) >= WRAPPED_AT and shown.startswith(typed))
