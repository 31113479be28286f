"""Plain text -> HTML, for the HTML part of a mail: paragraphs, lists, quotes, code, links, the footer.

Plain text is the master, so only what it says is shown. Styles are inline, since mail programs drop
all others, and set no colour of the text, so that light and dark both stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from mailgate.core.mail import Part

FOOTER_MARK = "-- "  # RFC 3676 section 4.3
DEPTH = 6  # quotes in quotes; what lies deeper is shown as text

_GAP = "margin:0 0 16px"
_QUOTE = f"{_GAP};padding:0 0 0 14px;border-left:3px solid #9aa5b1"
_CODE = f"{_GAP};padding:0 0 0 14px;border-left:3px dotted #9aa5b1;white-space:pre-wrap;font-size:14px"
_LIST = f"{_GAP};padding:0 0 0 24px"
_LINK = re.compile(r"https?://[^\s<>\"]+")
_CID_SAFE = "@!$&'()*+,;=:"  # RFC 2392, RFC 3986 section 3.3
_LINK_END = ".,;:!?)]}'»”"
_BULLET = re.compile(r"[-*•] +(?=\S)")
_NUMBER = re.compile(r"[0-9]{1,3}[.)] +(?=\S)")
_FENCE = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Page:
    """HTML of the three parts of a text. below: what stands under the footer, a quoted message."""

    body: str
    footer: str
    below: str


def from_text(text: str) -> Page:
    """The text as HTML; its footer goes from the last mark "-- " to the next blank line."""
    lines = text.split("\n")
    marks = [number for number, line in enumerate(lines) if line == FOOTER_MARK]
    if not marks:
        return Page(_html(lines), "", "")
    start = marks[-1] + 1
    end = next((number for number in range(start, len(lines)) if not lines[number].strip()), len(lines))
    return Page(_html(lines[: start - 1]), _broken(lines[start:end]), _html(lines[end:]))


def pictures(parts: Sequence[Part]) -> str:
    """The pictures that go with a mail, as they stand in it."""
    shown = (part for part in parts if part.inline and part.content_id and part.type.startswith("image/"))
    return "\n".join(
        f'<p style="{_GAP}"><img src="cid:{quote(part.content_id or "", _CID_SAFE)}" alt="{escape(part.name)}"'
        ' style="max-width:100%;height:auto"></p>'
        for part in shown
    )


def _html(lines: Sequence[str], depth: int = 0) -> str:
    return "\n".join(_block(kind, block, depth) for kind, block in _blocks(lines) if kind != "blank")


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Neighbouring lines of one kind."""
    block: list[str] = []
    last = "blank"
    for kind, line in _kinds(lines):
        if kind != last and block:
            yield last, block
            block = []
        block.append(line)
        last = kind
    if block:
        yield last, block


def _kinds(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line with its kind; a fence rules until it is closed, indented lines go on with a list."""
    fence, last = "", "blank"
    for line in lines:
        if line[:1].isalpha() and not fence:
            last = "p"
            yield last, line
            continue
        stripped = line.strip()
        if fence or stripped.startswith(_FENCE):
            if not fence:
                fence = stripped[:3]
            elif stripped.startswith(fence):
                fence = ""
            last = "code"
        else:
            last = _kind(line, last)
        yield last, line


def _kind(line: str, last: str) -> str:
    if not line.strip():
        return "blank"
    if line.startswith(">"):
        return "quote"
    if _BULLET.match(line):
        return "ul"
    if _NUMBER.match(line):
        return "ol"
    if last in ("ul", "ol") and line.startswith("  "):
        return last
    return "code" if line.startswith(("    ", "\t")) else "p"


def _block(kind: str, lines: list[str], depth: int) -> str:
    if kind == "quote" and depth < DEPTH:
        inner = [line[1:].removeprefix(" ") for line in lines]
        return f'<blockquote style="{_QUOTE}">\n{_html(inner, depth + 1)}\n</blockquote>'
    if kind == "code":
        code = "\n".join(line for line in lines if not line.strip().startswith(_FENCE))
        return f'<pre style="{_CODE}">{escape(code)}</pre>'
    if kind in ("ul", "ol"):
        items = "".join(f'<li style="margin:0 0 4px">{item}</li>\n' for item in _items(kind, lines))
        start = f' start="{int(re.split("[.)]", lines[0])[0])}"' if kind == "ol" else ""
        return f'<{kind}{start} style="{_LIST}">\n{items}</{kind}>'
    return f'<p style="{_GAP}">{_broken(lines)}</p>'


def _items(kind: str, lines: Sequence[str]) -> Iterator[str]:
    mark = _BULLET if kind == "ul" else _NUMBER
    item: list[str] = []
    for line in lines:
        if mark.match(line) and item:
            yield _broken(item)
            item = []
        item.append(mark.sub("", line, count=1).strip())
    yield _broken(item)


def _broken(lines: Sequence[str]) -> str:
    return "<br>\n".join(map(_linked, lines))


def _linked(line: str) -> str:
    """The line escaped, its web addresses as links."""
    if "://" not in line:
        return escape(line)
    shown, end = [], 0
    for link in _LINK.finditer(line):
        address = link[0].rstrip(_LINK_END)
        shown += [escape(line[end : link.start()]), f'<a href="{escape(address)}">{escape(address)}</a>']
        end = link.start() + len(address)
    return "".join(shown) + escape(line[end:])
