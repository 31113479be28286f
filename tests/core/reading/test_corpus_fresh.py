"""Fresh text measured on the corpus: real replies of many programs and languages, and the Spanish matrix.

What is not met is listed with its reason in `fresh_differences.toml`; a new miss fails, and so does
an entry that is met by now.
"""

from __future__ import annotations

import html as entities
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.mail import Envelope, Mail, Reading
from mailgate.core.message import mime
from mailgate.core.reading import fresh
from mailgate.core.reading.opening import COMMAND_LINE
from tests.support import in_linear_time

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
SOURCES = ("crisp", "edgetier", "elixir", "es", "github", "quotequail")
DIFFERENCES = tomllib.loads((Path(__file__).parent / "fresh_differences.toml").read_text())

FLOORS = {"exact": 133, "lost": 2, "leaked": 3}
"""Of 136 exact texts, 59 strings that must be there, 77 that must not."""

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside this checkout")


def of_text(text: str = "", html: str = "", subject: str = "") -> Mail:
    return Mail("id@example.es", "digest", None, subject=subject, text=text, html=html)


def squeezed(text: str) -> str:
    return "".join(text.split())


@dataclass
class Score:
    """How one source was met. misses: case to what it misses."""

    cases: int = 0
    exact: int = 0
    of_exact: int = 0
    lost: int = 0
    of_lost: int = 0
    leaked: int = 0
    of_leaked: int = 0
    misses: dict[str, set[str]] = field(default_factory=dict)

    def miss(self, name: str, what: str) -> None:
        self.misses.setdefault(name, set()).add(what)


def expectations(source: str) -> dict[str, dict[str, Any]]:
    cases = json.loads((CORPUS / source / "expected.json").read_text())["cases"]
    told = {"fresh", "all_fresh", "must_contain", "must_not_contain", "forward", "max_seconds"}
    told |= {"fresh_starts", "fresh_ends"}
    return {name: case for name, case in cases.items() if told & case.keys()}


def mail_of(source: str, name: str, kind: str) -> Mail:
    raw = (CORPUS / source / name).read_bytes()
    if kind == "mail":
        return mime.parse(raw, Envelope("inject"))
    return of_text(**{kind: raw.decode("utf-8", "replace")})


def is_exact(reading: Reading, case: dict[str, Any]) -> bool:
    """Equal but for white space and the lines that may be in or out."""
    optional = {squeezed(line) for line in case.get("fresh_optional", ())}

    def kept(text: str) -> str:
        return "".join(line for line in map(squeezed, text.split("\n")) if line not in optional)

    wanted = case.get("fresh", reading.whole)
    return squeezed(reading.fresh) == squeezed(wanted) or kept(reading.fresh) == kept(wanted)


def score_of(source: str) -> Score:
    score = Score()
    for name, case in expectations(source).items():
        score.cases += 1
        reading = fresh.read(mail_of(source, name, case["kind"]), (), first=False)
        found = squeezed(reading.fresh)
        if "fresh" in case or case.get("all_fresh"):
            score.of_exact += 1
            score.exact += is_exact(reading, case)
            if not is_exact(reading, case):
                score.miss(name, "exact")
        for wanted in case.get("must_contain", ()):
            score.of_lost += 1
            if squeezed(wanted) not in found:
                score.lost += 1
                score.miss(name, "must_contain")
        for unwanted in case.get("must_not_contain", ()):
            score.of_leaked += 1
            if squeezed(unwanted) in found:
                score.leaked += 1
                score.miss(name, "must_not_contain")
        if not found.startswith(squeezed(case.get("fresh_starts", ""))):
            score.miss(name, "fresh_starts")
        if not found.endswith(squeezed(case.get("fresh_ends", ""))):
            score.miss(name, "fresh_ends")
        if case.get("forward", reading.forward) != reading.forward:
            score.miss(name, "forward")
    return score


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    return {source: score_of(source) for source in SOURCES}


def test_no_case_is_missed_but_those_that_are_listed_with_a_reason(scores: dict[str, Score]) -> None:
    missed = {f"{source}/{name}": found for source in SOURCES for name, found in scores[source].misses.items()}
    listed = {name: set(entry["misses"]) for name, entry in DIFFERENCES.items()}
    assert missed == listed
    assert all(len(entry["reason"]) > 20 for entry in DIFFERENCES.values())


def test_the_figures_reached_are_held(scores: dict[str, Score]) -> None:
    print(f"\n{'source':12} {'cases':>6} {'exact':>9} {'lost':>8} {'leaked':>8}")
    for source, score in scores.items():
        exact, lost = f"{score.exact}/{score.of_exact}", f"{score.lost}/{score.of_lost}"
        print(f"{source:12} {score.cases:6} {exact:>9} {lost:>8} {f'{score.leaked}/{score.of_leaked}':>8}")
    assert sum(score.exact for score in scores.values()) >= FLOORS["exact"]
    assert sum(score.lost for score in scores.values()) <= FLOORS["lost"]
    assert sum(score.leaked for score in scores.values()) <= FLOORS["leaked"]


def test_every_spanish_mail_is_read_exactly(scores: dict[str, Score]) -> None:
    assert scores["es"].exact == scores["es"].of_exact == 36
    assert not scores["es"].misses


def test_spanish_mails_raise_no_doubt() -> None:
    doubted = [
        name
        for name, case in expectations("es").items()
        if fresh.read(mail_of("es", name, case["kind"]), (), first=False).doubt
    ]
    assert doubted == []


def test_forwarded_text_stays_visible() -> None:
    for name, case in expectations("es").items():
        reading = fresh.read(mail_of("es", name, case["kind"]), (), first=False)
        for kept in case.get("keep_forwarded", ()):
            assert kept in reading.shown, name
            assert kept not in reading.fresh, name


def test_pathological_mails_are_read_in_linear_time() -> None:
    for source in SOURCES:
        for name, case in expectations(source).items():
            mail = mail_of(source, name, case["kind"])
            with in_linear_time():
                fresh.read(mail, (mail.text,), first=False)


# The matrix of attributions: what 26 programs put between an answer and the mail it answers.

OLD = (
    "Hola:",
    "",
    "¿Podéis cambiar el banner de la portada? Sigue saliendo el del año pasado.",
    "",
    "#time 45m",
    "",
    "Ana",
)
ANSWERS = {
    "command above": "#time 12m\nHecho, Ana: ya está cambiado.",
    "command below": "Hecho, Ana: ya está cambiado.\n\n#time 12m redirección",
    "two commands": "#tiempo 1h 5m\n\nYa está todo cambiado.\n\n#cerrar",
    "no command": "Lo miro después de comer y te digo.",
    "signed": "Hecho, Ana.\n#time 3m\n\nUn saludo,\nMarta\n\n-- \nMarta Gil\nSoporte Técnico | Tel. 91 000 00 00",
    "telephone": "#time 20m\nHecho\n\nEnviado desde mi iPhone",
    "commands only": "#time 5m\n#nota",
}


def attributions() -> list[dict[str, str]]:
    path = CORPUS / "es" / "atribuciones.json"
    return json.loads(path.read_text())["attributions"] if path.exists() else []


def typed(answer: str) -> str:
    """What of an answer is fresh for sure: all above the signature and the telephone's line."""
    return answer.partition("\n-- \n")[0].partition("\nEnviado desde")[0].strip()


def commands(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if COMMAND_LINE.match(line)]


def marked(lines: tuple[str, ...], mark: str) -> str:
    return "\n".join(f"{mark} {line}".rstrip() if mark else line for line in lines)


def replies() -> Iterator[Any]:
    for attribution in attributions():
        for kind, answer in ANSWERS.items():
            text = f"{answer}\n\n{attribution['text']}\n\n{marked(OLD, attribution['mark'])}\n"
            yield pytest.param(text, answer, id=f"{attribution['program']}, {kind}")


HISTORY = ("Primer mensaje, de otra cosa.\n", "\n".join(OLD))
OTHER_HISTORY = ("Hola, Luis: el certificado ya está renovado, no hay que hacer nada más.",)
HISTORIES = [
    pytest.param((), id="no history"),
    pytest.param(HISTORY, id="history", marks=pytest.mark.slow),
    pytest.param(OTHER_HISTORY, id="other history", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize(("text", "answer"), list(replies()))
def test_of_a_reply_with_the_quote_below_exactly_the_answer_is_fresh(
    text: str, answer: str, history: tuple[str, ...]
) -> None:
    reading = fresh.read(of_text(text), history, first=False)
    assert reading.fresh == typed(answer)
    assert reading.doubt == ""
    assert reading.whole == text


@pytest.mark.parametrize("attribution", attributions(), ids=lambda attribution: attribution["program"])
def test_windows_line_ends_and_trailing_blanks_change_nothing(attribution: dict[str, str]) -> None:
    answer = ANSWERS["command below"]
    text = f"{answer}\n\n{attribution['text']}\n\n{marked(OLD, attribution['mark'])}\n".replace("\n", "  \r\n")
    assert fresh.read(of_text(text), (), first=False).fresh == answer


@pytest.mark.parametrize("attribution", attributions(), ids=lambda attribution: attribution["program"])
def test_without_a_blank_line_above_the_attribution_nothing_changes(attribution: dict[str, str]) -> None:
    text = f"Hecho.\n#time 12m\n{attribution['text'].strip()}\n{marked(OLD, attribution['mark'])}\n"
    assert fresh.read(of_text(text), (), first=False).fresh == "Hecho.\n#time 12m"


@pytest.mark.parametrize(
    "attribution", [found for found in attributions() if found["mark"]], ids=lambda attribution: attribution["program"]
)
@pytest.mark.parametrize("answer", [ANSWERS["command above"], ANSWERS["two commands"]])
def test_below_and_among_marked_quotes_the_answer_is_fresh(attribution: dict[str, str], answer: str) -> None:
    quote = marked(OLD, attribution["mark"])
    below = fresh.read(of_text(f"{attribution['text']}\n{quote}\n\n{answer}\n"), (), first=False)
    assert below.fresh == answer
    among = fresh.read(of_text(f"{attribution['text']}\n{quote}\n\n{answer}\n\n{quote}\n"), (), first=False)
    assert among.fresh == answer
    assert (below.doubt, among.doubt) == ("", "")
    assert (below.shown, among.shown) == (below.whole, among.whole)


@pytest.mark.parametrize("attribution", attributions(), ids=lambda attribution: attribution["program"])
def test_a_quote_within_a_quote_is_not_fresh(attribution: dict[str, str]) -> None:
    inner = f"Gracias por avisar.\n\n{attribution['text']}\n\n{marked(OLD, attribution['mark'])}"
    quote = marked(tuple(inner.split("\n")), attribution["mark"])
    text = f"#time 7m\nVisto.\n\n{attribution['text']}\n\n{quote}\n"
    assert fresh.read(of_text(text), (), first=False).fresh == "#time 7m\nVisto."


# HTML-only replies.


def as_divs(text: str) -> str:
    return "".join(f"<div>{entities.escape(line) or '<br>'}</div>" for line in text.split("\n"))


def gmail(answer: str, attribution: str, old: str) -> str:
    return (
        f'<div dir="ltr">{as_divs(answer)}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{entities.escape(attribution)}<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid">'
        f"{as_divs(old)}</blockquote></div>"
    )


def apple(answer: str, attribution: str, old: str) -> str:
    return (
        f'<html><body>{as_divs(answer)}<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite">'
        f'<div>{entities.escape(attribution)}</div><br class="Apple-interchange-newline"><div>{as_divs(old)}</div>'
        "</blockquote></div><br></body></html>"
    )


def word(answer: str, attribution: str, old: str) -> str:
    def paragraphs(text: str) -> str:
        lines = (entities.escape(line) or "<o:p>&nbsp;</o:p>" for line in text.split("\n"))
        return "".join(f"<p class=MsoNormal>{line}<o:p></o:p></p>" for line in lines)

    header = "<br>".join(f"<b>{entities.escape(line)}</b>" for line in attribution.strip().split("\n"))
    return (
        f"<div class=WordSection1>{paragraphs(answer)}<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;"
        f"padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>{header}</p></div></div>{paragraphs(old)}</div>"
    )


def outlook_web(answer: str, attribution: str, old: str) -> str:
    header = "<br>".join(entities.escape(line) for line in attribution.strip().split("\n"))
    return (
        f'<body dir="ltr">{as_divs(answer)}<div id="appendonsend"></div><hr style="width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri">{header}</font><div>&nbsp;</div></div>'
        f"{as_divs(old)}</body>"
    )


def yahoo(answer: str, attribution: str, old: str) -> str:
    return (
        f'<div class="ydp1yahoo-style-wrap">{as_divs(answer)}</div>'
        f'<div id="ydp9yahoo_quoted_1" class="ydp9yahoo_quoted">'
        f"<div>{entities.escape(attribution)}</div>{as_divs(old)}</div>"
    )


def thunderbird(answer: str, attribution: str, old: str) -> str:
    return (
        f'<p>{"<br>".join(map(entities.escape, answer.split(chr(10))))}</p><div class="moz-cite-prefix">'
        f'{entities.escape(attribution)}<br></div><blockquote type="cite" cite="mid:a@b">{as_divs(old)}</blockquote>'
    )


GMAIL_SAYS = "El lun, 2 nov 2026 a las 10:12, Ana Prieto (<ana@acme.example>) escribió:"
BASQUE = "2026(e)ko aza. 2(a), al. 10:12: honela mintzatu zaigu Ana Prieto"
OUTLOOK_SAYS = (
    "De: Ana Prieto <ana@acme.example>\nEnviado: lunes, 2 de noviembre de 2026 10:12\n"
    "Para: soporte@example.es\nAsunto: Banner"
)
ICELANDIC = (
    "Frá: Ana Prieto <ana@acme.example>\nSent þann: 2. nóvember 2026 10:12\nTil þess: soporte@example.es\nEfni: Banner"
)


@pytest.mark.parametrize("answer", [ANSWERS[kind] for kind in ANSWERS if kind not in ("signed", "telephone")])
@pytest.mark.parametrize(
    ("program", "attribution"),
    [
        (gmail, GMAIL_SAYS),
        (gmail, BASQUE),
        (apple, GMAIL_SAYS),
        (apple, BASQUE),
        (thunderbird, GMAIL_SAYS),
        (thunderbird, BASQUE),
        (yahoo, GMAIL_SAYS),
        (yahoo, BASQUE),
        (word, OUTLOOK_SAYS),
        (word, ICELANDIC),
        (outlook_web, OUTLOOK_SAYS),
        (outlook_web, ICELANDIC),
    ],
)
def test_of_a_reply_in_html_alone_exactly_the_answer_is_fresh(program: Any, attribution: str, answer: str) -> None:
    reading = fresh.read(of_text(html=program(answer, attribution, "\n".join(OLD))), (), first=False)
    assert squeezed(reading.fresh) == squeezed(answer)
    assert commands(reading.fresh) == commands(answer)
    assert reading.doubt == ""
    assert "#time 45m" in reading.whole


@pytest.mark.parametrize("program", [gmail, apple, yahoo, thunderbird])
@pytest.mark.parametrize("attribution", attributions(), ids=lambda attribution: attribution["program"])
def test_in_html_the_structure_tells_whatever_the_attribution(program: Any, attribution: dict[str, str]) -> None:
    html = program("#time 12m\nHecho.", attribution["text"], "\n".join(OLD))
    assert fresh.read(of_text(html=html), (), first=False).fresh.split() == ["#time", "12m", "Hecho."]
