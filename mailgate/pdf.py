"""The detailed report on paper: A4, made to be printed, filed and checked with a pencil.

Import it where a PDF is asked for, not at the top of a module: its library takes 0.2 s and 15 MB. As a program it makes
one, of what comes in pickled (`statements.report_pdf`).
The fonts are our own copy (fonts/LICENSE): Latin, Greek and Cyrillic are there on every machine.
"""

from __future__ import annotations

import io
import pickle
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from itertools import islice
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    HRFlowable,
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from mailgate import cores
from mailgate.core.writing import phrases

_Words = Mapping[str, str]
_Row = list[Any]

_PLAIN, _BOLD = "DejaVuSansCondensed", "DejaVuSansCondensed-Bold"
for _font in (_PLAIN, _BOLD):
    registerFont(TTFont(_font, str(files("mailgate") / "fonts" / f"{_font}.ttf")))

_INK, _FAINT, _LINE, _SHADE = HexColor("#1f2933"), HexColor("#5f6b76"), HexColor("#d5dae0"), HexColor("#f3f5f7")
_BAR, _GIFT, _CLAIM = HexColor("#3b82c4"), HexColor("#2e7d4f"), HexColor("#b4540a")

_EDGE = 18 * mm
_WIDTH = A4[0] - 2 * _EDGE
_INSET = 6  # what the library leaves free inside its margins; between columns too
_COLUMNS = [14 * mm, 20 * mm, 17 * mm, 62 * mm, 24 * mm, 18 * mm, 19 * mm]  # they add up to _WIDTH
_BARS_MOST = 8  # tickets with a bar of their own; the others share one
_LONGEST = 600  # characters of a cell: a row must fit on a page. Notes are shorter (`LONGEST_NOTE`)

_WORDS: Mapping[str, _Words] = {
    "es": {
        "title": "Informe del tiempo",
        "period": "Del {} al {}",
        "opening": "Saldo al principio",
        "added": "Añadido",
        "charged": "Descontado",
        "closing": "Saldo al final",
        "by_ticket": "Por ticket",
        "others": "Otros {} tickets",
        "entries": "Apunte por apunte",
        "heads": "Apunte|Día|Ticket|Trabajo|Técnico|Tiempo|Saldo",
        "gift": "Cortesía: {} sin cargo",
        "capped": "{} de trabajo, el resto sin cargo",
        "disputed": "Reclamado: pendiente de resolver",
        "phone": "Por teléfono",
        "nothing": "En este periodo no hay ningún apunte.",
        "gifts": "Además, {} de cortesía, sin cargo.",
        "page": "Página {} de {}",
        "work": "Trabajo",
        "purchase": "Compra",
        "void": "Anulación",
        "adjust": "Ajuste",
        "expiry": "Caducidad",
        "refund": "Devolución",
    },
    "en": {
        "title": "Time report",
        "period": "{} to {}",
        "opening": "Balance at the start",
        "added": "Added",
        "charged": "Charged",
        "closing": "Balance at the end",
        "by_ticket": "By ticket",
        "others": "{} other tickets",
        "entries": "Entry by entry",
        "heads": "Entry|Day|Ticket|Work|Technician|Time|Balance",
        "gift": "Courtesy: {} free of charge",
        "capped": "{} of work, the rest free of charge",
        "disputed": "Disputed: waits for a ruling",
        "phone": "By phone",
        "nothing": "There is no entry in this period.",
        "gifts": "And {} as a courtesy, free of charge.",
        "page": "Page {} of {}",
        "work": "Work",
        "purchase": "Purchase",
        "void": "Cancelled entry",
        "adjust": "Correction",
        "expiry": "Expired time",
        "refund": "Refund",
    },
}


def report_pdf(values: Mapping[str, Any], language: str, desk_name: str) -> bytes:
    """The report as PDF; the same arguments give the same bytes.

    values: of the template `report`. language: "es" or "en".
    """
    words = _WORDS[language]
    period = words["period"].format(*(phrases.short_day(values[day], language) for day in ("since", "until")))
    client = _clean(values["client_name"])
    document = SimpleDocTemplate(
        out := io.BytesIO(),
        pagesize=A4,
        leftMargin=_EDGE - _INSET,
        rightMargin=_EDGE - _INSET,
        topMargin=_EDGE,
        bottomMargin=22 * mm,
        title=f"{words['title']} · {client} · {period}",
        author=_clean(desk_name),
        lang=language,
        initialFontName=_PLAIN,
        invariant=1,
    )
    story = [*_head(client, period, words), *_sums(values, words), *_bars(values["by_ticket"], words)]
    story += _entries(values["entries"], words, language)
    foot = partial(_foot, text=f"{_clean(desk_name, 60)} · {client[:60]} · {period}", words=words)
    document.build(story, canvasmaker=partial(_Counted, foot=foot))
    return out.getvalue()


# ---- the parts, from top to bottom ---------------------------------------------------------------


def _head(client: str, period: str, words: _Words) -> list[Any]:
    return [
        Paragraph(escape(client), _style(10, color=_FAINT)),
        Paragraph(words["title"], _style(19, _BOLD)),
        Spacer(0, 1 * mm),
        Paragraph(escape(period), _style(10)),
        Spacer(0, 6 * mm),
    ]


def _sums(values: Mapping[str, Any], words: _Words) -> list[Any]:
    """The four numbers that add up: opening + added - charged = closing."""
    minutes = [entry["minutes"] for entry in values["entries"]]
    gifts = sum(entry["worked"] for entry in values["entries"] if entry["courtesy"])
    added, charged = sum(m for m in minutes if m > 0), sum(m for m in minutes if m < 0)
    shown = {"opening": values["opening"], "added": added, "charged": charged, "closing": values["closing"]}
    boxes = Table(
        [[words[name] for name in shown], [_time(number) for number in shown.values()]],
        colWidths=[_WIDTH / 4] * 4,
        style=[
            ("FONT", (0, 0), (-1, 0), _PLAIN, 8),
            ("FONT", (0, 1), (-1, 1), _PLAIN, 13),
            ("FONT", (-1, 1), (-1, 1), _BOLD, 13),
            ("TEXTCOLOR", (0, 0), (-1, 0), _FAINT),
            ("TEXTCOLOR", (0, 1), (-1, 1), _INK),
            ("BACKGROUND", (0, 0), (-1, -1), _SHADE),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, 0), 8),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 2),
            ("BOTTOMPADDING", (0, 1), (-1, 1), 11),
        ],
    )
    below = [Spacer(0, 2 * mm), Paragraph(words["gifts"].format(_time(gifts)), _style(9, color=_GIFT))]
    return [boxes, *(below if gifts else [])]


def _bars(by_ticket: Sequence[Mapping[str, Any]], words: _Words) -> list[Any]:
    """Where the minutes went, the most first."""
    if not by_ticket:
        return []
    most = len(by_ticket) if len(by_ticket) <= _BARS_MOST + 1 else _BARS_MOST
    shown = [(f"{line['ticket_tag']} · {_clean(line['subject'], 90)}", line) for line in islice(by_ticket, most)]
    if rest := by_ticket[most:]:
        together = {name: sum(line[name] for line in rest) for name in ("minutes", "share")}
        shown.append((words["others"].format(len(rest)), together))
    right = _style(8.5, align=TA_RIGHT)
    rows = [
        [
            Paragraph(escape(name), _style(8.5)),
            HRFlowable(width=f"{max(1, line['share'])}%", thickness=6, color=_BAR, hAlign="LEFT", lineCap="butt"),
            Paragraph(_time(line["minutes"]), right),
            Paragraph(f"{line['share']:.0f} %", right),
        ]
        for name, line in shown
    ]
    widths = [76 * mm, _WIDTH - 110 * mm, 22 * mm, 12 * mm]
    return [*_heading(words["by_ticket"]), Table(rows, colWidths=widths, style=_CHART)]


def _entries(entries: Sequence[Mapping[str, Any]], words: _Words, language: str) -> list[Any]:
    if not entries:
        return [Spacer(0, 6 * mm), Paragraph(words["nothing"], _style(10))]
    rows = [words["heads"].split("|"), *(_entry(entry, words, language) for entry in entries)]
    return [*_heading(words["entries"]), LongTable(rows, colWidths=_COLUMNS, repeatRows=1, style=_LEDGER)]


def _entry(entry: Mapping[str, Any], words: _Words, language: str) -> _Row:
    """One row of the table: what was done, with the ticket's subject and the marks below it."""
    note, subject = _clean(entry["note"]), _clean(entry["subject"])
    kind = words.get(entry["kind"], "")
    what = " · ".join(filter(None, (kind, phrases.money(entry["price"], language) if entry["price"] else "")))
    said = [escape(": ".join(filter(None, (what, note))) or subject or words["work"])]
    if note and subject:
        said.append(_small(escape(subject), _FAINT))
    if entry["phone"]:
        said.append(_small(words["phone"], _FAINT))
    if entry["courtesy"]:
        said.append(_small(words["gift"].format(_time(entry["worked"])), _GIFT))
    elif entry["kind"] == "debit" and entry["worked"] > -entry["minutes"]:
        said.append(_small(words["capped"].format(_time(entry["worked"])), _GIFT))
    if entry["disputed"]:
        said.append(_small(words["disputed"], _CLAIM))
    return [
        str(entry["id"]),
        phrases.short_day(entry["day"], language),
        _cell(entry["ticket_tag"], 2),
        _Text("<br/>".join(said), _CELL),
        _cell(_clean(entry["technician_name"], 80), 4),
        ("+" if entry["minutes"] > 0 else "") + _time(entry["minutes"]),
        _time(entry["balance_after"]),
    ]


def _cell(text: str, column: int) -> str | _Text:
    """The text as it is where one line holds it: that is set faster than a paragraph."""
    room = _COLUMNS[column] - _INSET
    return text if stringWidth(text, _PLAIN, _CELL.fontSize) <= room else _Text(escape(text), _CELL)


def _foot(canvas: Canvas, page: int, pages: int, text: str, words: _Words) -> None:
    canvas.setFont(_PLAIN, 7.5)
    canvas.setFillColor(_FAINT)
    canvas.drawString(_EDGE, 12 * mm, text)
    canvas.drawRightString(A4[0] - _EDGE, 12 * mm, words["page"].format(page, pages))


# ---- how it looks --------------------------------------------------------------------------------


class _Counted(Canvas):  # type: ignore[misc]
    """A canvas that draws the foot of every page at the end, when it is known how many there are."""

    def __init__(self, *args: Any, foot: Callable[[Canvas, int, int], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._foot = foot
        self._done: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802
        """Put the page aside."""
        self._done.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Finish all pages and the file."""
        for number, page in enumerate(self._done, 1):
            self.__dict__.update(page)
            self._foot(self, number, len(self._done))
            super().showPage()
        super().save()


class _Text(Paragraph):  # type: ignore[misc]
    """A paragraph that is broken into lines once, however often its table asks for its size."""

    _known: tuple[float, tuple[float, float]] | None = None

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Its width and height in a column of this width."""
        if self._known is None or self._known[0] != width:
            self._known = width, super().wrap(width, height)
        return self._known[1]


def _style(size: float, font: str = _PLAIN, color: HexColor = _INK, align: int = 0) -> ParagraphStyle:
    name = f"{font}{size}{align}{color}"
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.3, textColor=color, alignment=align)


def _heading(words: str) -> list[Any]:
    """A heading, on the next page where hardly anything would stand below it."""
    return [CondPageBreak(45 * mm), Spacer(0, 7 * mm), Paragraph(words, _style(11.5, _BOLD)), Spacer(0, 2 * mm)]


def _small(words: str, color: HexColor) -> str:
    return f'<font color="{color.hexval()}" size="7">{words}</font>'


def _time(minutes: int) -> str:
    """As in the mails, with a real minus and never broken over two lines."""
    return phrases.duration(minutes).replace("-", "−").replace(" ", "\xa0")


def _clean(text: str, most: int = _LONGEST) -> str:
    """What people wrote, as one line that can be set: composed, no controls, not endless."""
    composed = unicodedata.normalize("NFC", text[: 2 * most])
    line = " ".join("".join(_settable(sign) for sign in composed).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _settable(sign: str) -> str:
    """The library names no sign beyond U+FFFF in a way that readers could search or copy it."""
    if sign > "\uffff":
        return "□"
    return " " if unicodedata.category(sign) in ("Cc", "Cs") else sign


_CELL = _style(8)
_BARE = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0)]
_CHART = [
    *_BARE,
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (1, 0), (1, -1), 5),
    ("RIGHTPADDING", (0, 0), (0, -1), 6),
]
_LEDGER = [
    *_BARE,
    ("FONT", (0, 0), (-1, 0), _BOLD, 8),
    ("FONT", (0, 1), (-1, -1), _PLAIN, 8, 10.4),
    ("TEXTCOLOR", (0, 0), (-1, -1), _INK),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("ALIGN", (-2, 0), (-1, -1), "RIGHT"),
    ("RIGHTPADDING", (2, 0), (4, -1), _INSET),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
    ("LINEBELOW", (0, 0), (-1, 0), 0.8, _INK),
    ("TOPPADDING", (0, 0), (-1, -1), 3.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
]


if __name__ == "__main__":
    cores.use_all()
    sys.stdout.buffer.write(report_pdf(*pickle.load(sys.stdin.buffer)))  # noqa: S301 - by the daemon, for this
