"""HTML bodies to plain text: what a reader sees, with quotes, signatures and lists as text has them.

Mail programs say in the HTML where a quote begins. That is turned into what a text part would have:
">" marks, the rule above a header block, the signature mark. So only this file and `landmarks` know
of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from mailgate.core.reading import landmarks
from mailgate.core.reading.look import Look, hidden_classes
from mailgate.core.reading.opening import RULE
from mailgate.core.reading.typeset import Sheet

LONGEST = 512 * 1024
"""Characters that are read."""

MOST_ELEMENTS = 50_000
MOST_ATTRIBUTES = 200
"""Of one tag. libxml2 compares them with each other: 50,000 take three seconds."""

DEEPEST = 2_000
"""Levels. libxml2 itself gives up at 2,048 (at 256 without huge_tree), and says nothing."""

MOST_QUOTES = 8
LONGEST_URL = 2_000
LONGEST_ALT = 100

OMITTED = "[…]"
"""Stands where a limit cut the text short."""

_UNSEEN = {"head", "title", "style", "script", "template", "object", "svg", "math", "select", "iframe"}
_UNSEEN |= {"audio", "canvas", "datalist", "dialog", "noembed", "noframes", "video"}
_BLOCKS = {"address", "article", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "figure"}
_BLOCKS |= {"fieldset", "figcaption", "footer", "form", "header", "html", "legend", "li", "main", "nav"}
_BLOCKS |= {"aside", "section", "summary", "tbody", "tfoot", "thead", "tr"}
_PARAGRAPHS = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"}

_URL = re.compile(r"(?:https?|ftp)://|mailto:", re.IGNORECASE)
_UNTOLD = re.compile(r"^(?:https?://|mailto:)?(?:www\.)?")
_ATTRIBUTE = r"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+"""
_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+(?:{_ATTRIBUTE}){{0,{MOST_ATTRIBUTES}}}+({_ATTRIBUTE})?+")


@lru_cache(maxsize=1)  # asked for again at each step with the same mail
def to_text(html: str) -> str:
    """The visible text of an HTML body. Never raises; where a limit cuts it short, `OMITTED` stands."""
    if any(match[1] for match in _TAG.finditer(html[:LONGEST])):
        return OMITTED
    root = _parsed(html[:LONGEST])
    if root is None:
        return ""
    walk = _Walk(root)
    complete = walk.run() and len(html) <= LONGEST
    return walk.sheet.text() + ("" if complete else f"\n{OMITTED}")


def _parsed(html: str) -> etree._Element | None:
    parser = etree.HTMLParser(huge_tree=True, encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(html.replace("\0", "").encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return None


@dataclass(slots=True)
class _Frame:
    """What holds inside an element.

    url: of a link, which began with the given piece of the given line. items: of a list, so far.
    """

    look: Look
    preformatted: bool = False
    quoted: bool = False
    url: str = ""
    began: tuple[int, int] = (0, 0)
    items: int | None = None


class _Walk:
    """One pass over a tree, without recursion."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.sheet = Sheet()
        self.hidden = hidden_classes(" ".join(style.text or "" for style in root.iter("style")))
        self.frames = [_Frame(Look())]

    def run(self) -> bool:
        """Walk; whether all of the tree was seen."""
        walker = etree.iterwalk(self.root, events=("start", "end"))
        elements = 0
        for event, element in walker:
            if event == "end":
                self.leave(element)
                continue
            elements += 1
            if elements > MOST_ELEMENTS or len(self.frames) > DEEPEST:
                return False
            if not self.enter(element):
                walker.skip_subtree()
        return True

    def enter(self, element: etree._Element) -> bool:
        """Begin an element; whether to look into it."""
        attributes, outer = element.attrib, self.frames[-1]
        frame = _Frame(outer.look, outer.preformatted)
        self.frames.append(frame)
        if attributes:
            frame.look = outer.look.inside(attributes, self.hidden)
            frame.preformatted = landmarks.keeps_blanks(attributes, outer.preformatted)
        if element.tag in _UNSEEN or frame.look.gone:
            return False
        self.space(element)
        if setter := _SETTERS.get(element.tag):
            setter(self, element)
        if attributes or element.tag == "blockquote":
            self.note_landmark(element, frame)
        self.say(element.text, frame)
        return True

    def leave(self, element: etree._Element) -> None:
        """End an element, and go on with the text that follows it."""
        frame = self.frames.pop()
        if frame.url:
            self.name_link(frame)
        if frame.quoted:
            self.sheet.quote(-1)
        self.space(element)
        self.say(element.tail, self.frames[-1])

    def space(self, element: etree._Element) -> None:
        """The line ends and blank lines at the edges of an element."""
        if element.tag in _PARAGRAPHS and not landmarks.is_tight(element.attrib):
            self.sheet.leave_gap()
        elif element.tag in _BLOCKS or element.tag in _PARAGRAPHS:
            self.sheet.end_line()

    def say(self, text: str | None, frame: _Frame) -> None:
        """Set a text, if it can be seen."""
        if text and frame.look.visible:
            if frame.preformatted:
                self.sheet.add_preformatted(text)
            else:
                self.sheet.add(text)

    def note_landmark(self, element: etree._Element, frame: _Frame) -> None:
        """Set what an element says of quotes and signatures."""
        if landmarks.is_above_headers(element.attrib):
            self.sheet.add_line(RULE)
        elif landmarks.is_signature(element.attrib):
            self.sheet.sign()
        elif self.sheet.depth < MOST_QUOTES and landmarks.is_quote(element):
            frame.quoted = True
            self.sheet.quote(1)

    def set_break(self, element: etree._Element) -> None:
        """A line break."""
        self.sheet.break_line()

    def set_rule(self, element: etree._Element) -> None:
        """A line that is drawn; not one of those that mean something in plain text."""
        self.sheet.add_line("-" * 20)

    def set_image(self, element: etree._Element) -> None:
        """The words for a picture, in brackets, so that they are nobody's command."""
        words = " ".join(element.get("alt", "").split())
        is_pixel = not {"0", "1"}.isdisjoint((element.get("width"), element.get("height")))
        if words and self.frames[-1].look.visible and not is_pixel:
            self.sheet.add(f"[{words[:LONGEST_ALT]}]")

    def set_link(self, element: etree._Element) -> None:
        """A link: where it leads is told at its end."""
        url = element.get("href", "").strip()
        inside_another = any(frame.url for frame in self.frames[-4:])
        if _URL.match(url) and len(url) <= LONGEST_URL and not inside_another:
            self.frames[-1].url = url
            self.frames[-1].began = (len(self.sheet.lines), len(self.sheet.pieces))

    def name_link(self, frame: _Frame) -> None:
        """Tell where a link leads, unless its words do."""
        line, piece = frame.began
        words = "".join(self.sheet.pieces[piece:]) if line == len(self.sheet.lines) else ""
        url = frame.url.partition("?")[0].removeprefix("mailto:") if frame.url[:7] == "mailto:" else frame.url
        if words.strip() and _told(words) != _told(url):
            self.sheet.add(f" <{url}>")

    def set_cell(self, element: etree._Element) -> None:
        """A cell of a table, beside the one before it."""
        self.sheet.add_cell()

    def set_list(self, element: etree._Element) -> None:
        """A numbered list."""
        self.frames[-1].items = 0

    def set_item(self, element: etree._Element) -> None:
        """An item of a list."""
        outer = self.frames[-2]
        if outer.items is None:
            self.sheet.begin_item("- ")
        else:
            outer.items += 1
            self.sheet.begin_item(f"{outer.items}. ")

    def set_preformatted(self, element: etree._Element) -> None:
        """Text whose blanks count."""
        self.frames[-1].preformatted = True


_SETTERS: Mapping[str, Callable[[_Walk, etree._Element], None]] = {
    "a": _Walk.set_link,
    "br": _Walk.set_break,
    "hr": _Walk.set_rule,
    "img": _Walk.set_image,
    "li": _Walk.set_item,
    "ol": _Walk.set_list,
    "pre": _Walk.set_preformatted,
    "td": _Walk.set_cell,
    "th": _Walk.set_cell,
}


def _told(address: str) -> str:
    """An address as people write it, for comparing."""
    return _UNTOLD.sub("", address.strip(" \n\t<>()").casefold()).rstrip("/")
