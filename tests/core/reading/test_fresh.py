"""What was written now against what is quoted: strict for technicians, generous for readers."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.mail import Mail, Reading
from mailgate.core.reading import fresh
from tests.support import in_linear_time

CLIENT = """Buenos días:

Desde ayer la página de contacto de la tienda no envía los correos a nadie y los clientes se quejan.
¿Podéis mirar también por qué el banner de la portada sale con la fecha del año pasado?

Gracias,
Ana"""

ANSWER = """Hola, Ana:

Hemos revisado el formulario de contacto y ya envía los correos.

#time 12m

Un saludo,
Marta Gil
Soporte Técnico | Tel. 91 000 00 00"""

GMAIL = "El lun, 2 nov 2026 a las 10:12, Ana Prieto (<ana@acme.example>) escribió:"
OUTLOOK = """De: Ana Prieto <ana@acme.example>
Enviado el: lunes, 2 de noviembre de 2026 10:12
Para: Soporte Técnico <soporte@example.es>
Asunto: Contacto"""


def read(
    text: str = "", history: tuple[str, ...] = (), *, html: str = "", subject: str = "", first: bool = False
) -> Reading:
    return fresh.read(Mail("id@example.es", "digest", None, subject=subject, text=text, html=html), history, first)


def quoted(text: str, mark: str = "> ") -> str:
    return "\n".join((mark + line).rstrip() for line in text.split("\n"))


# Nothing quoted


def test_a_plain_mail_is_fresh_as_it_stands() -> None:
    reading = read(CLIENT)
    assert reading == Reading(CLIENT, CLIENT, CLIENT, why="nothing quoted")


def test_an_empty_mail_has_no_text() -> None:
    assert read() == Reading("", "", "", why="nothing quoted")


def test_blank_lines_between_paragraphs_stay_as_typed() -> None:
    assert read("uno\n\n\ndos\n").fresh == "uno\n\n\ndos"


def test_a_byte_order_mark_does_not_hide_a_command() -> None:
    assert read("\ufeff#time 12m\n\u200b#nota").fresh == "#time 12m\n#nota"


@pytest.mark.parametrize(
    "text",
    [
        "El 2 de noviembre te llamo y lo vemos. Ana me escribió que no funciona.",
        "El cliente escribió:\nno va la web\n#time 5m",
        "El lunes 2 a las 10:12 quedamos en llamarnos:\n#time 5m",
        "Esto es lo que pasa:\n#time 5m",
        "Datos de acceso:\nUsuario: ana@acme.example\nClave: 1234\nHora: 10:12\n#time 5m",
        "De: Madrid\nPara: Sevilla\nAsunto: recogida\n#time 5m",
        "Fecha: 2/11/2026\nPara: ana@acme.example\n#time 5m",
        "Opciones\n-----\nuna\notra\n=====\n#time 5m",
        "Antes\n---\n#time 5m\nDespués",
        "Sent from my desk, is much easier than my phone.\n#time 5m",
    ],
)
def test_what_only_looks_like_a_quote_is_fresh(text: str) -> None:
    reading = read(text)
    assert reading.fresh == text
    assert reading.doubt == ""


def test_signature_marks_in_fenced_code_are_code() -> None:
    text = "Ejecuta esto:\n```\nSELECT 1\n--\nSELECT 2\n```\n#time 5m"
    assert read(text).fresh == text


def test_marks_in_fenced_code_are_code() -> None:
    text = "Así:\n```\n> npm run build\n> gulp\n```\n#time 5m"
    assert read(text).fresh == text


def test_a_header_block_in_fenced_code_raises_doubt() -> None:
    text = f"El correo que rebota es este:\n```\n{OUTLOOK}\n```\n#time 5m"
    assert read(text).doubt == fresh.INTERLEAVED


# Earlier messages of the ticket


def test_history_tells_an_unmarked_quote_without_any_known_introduction() -> None:
    text = f"Ya está, Ana.\n#time 8m\n\nAnak hau idatzi zuen atzo\n\n{CLIENT}"
    reading = read(text, (CLIENT,))
    assert reading.fresh.startswith("Ya está, Ana.\n#time 8m")
    assert "banner" not in reading.fresh
    assert "earlier message" in reading.why
    assert reading.doubt == ""


def test_history_is_recognised_however_it_is_wrapped_and_in_any_case() -> None:
    rewrapped = "\n".join(" ".join(CLIENT.upper().split()[at : at + 5]) for at in range(0, 60, 5))
    assert read(f"Ya está.\n#time 8m\n\n{rewrapped}", (CLIENT, ANSWER) * 40).fresh == "Ya está.\n#time 8m"


def test_an_introduction_that_nobody_knows_goes_with_the_quote() -> None:
    text = f"Ya está.\n\nAna Prieto <ana@acme.example>, 2.11.2026 10:12, skrifaði þetta hér\n\n{CLIENT}"
    assert read(text, (CLIENT,)).fresh == "Ya está."


def test_a_vague_attribution_counts_where_history_holds_what_is_below_it() -> None:
    text = f"Ya está.\n#time 5m\n\nEl 2/11 a las 10:12 Ana escribió:\n\n{CLIENT}"
    assert read(text, (CLIENT,)).fresh == "Ya está.\n#time 5m"
    assert "escribió:" in read(text, ("Otra cosa que no tiene nada que ver.",)).fresh


def test_a_quote_of_nothing_but_an_earlier_message_is_no_error() -> None:
    assert read(f"Ana <ana@acme.example>\n\n{CLIENT}\n{CLIENT}", (CLIENT,)).whole


def test_the_same_answer_as_before_is_meant_again() -> None:
    assert read(ANSWER, (CLIENT, ANSWER)).fresh == ANSWER


def test_the_same_command_and_sign_off_as_before_are_meant_again() -> None:
    answer = ANSWER.replace("revisado el formulario de contacto y ya envía los correos", "puesto el banner de este año")
    reading = read(answer, (CLIENT, ANSWER))
    assert reading.fresh == answer
    assert reading.doubt == ""


@pytest.mark.parametrize("line", ["Gracias", "Hola, Ana:", "#time 12m", "Un saludo,\nMarta Gil"])
def test_a_common_line_alone_is_no_evidence(line: str) -> None:
    text = f"Otra cosa distinta.\n{line}\nY nada más por hoy."
    assert read(text, (CLIENT, ANSWER)).fresh == text


def test_a_pasted_question_above_an_answer_raises_doubt() -> None:
    text = f"Contesto:\n\n{CLIENT}\n\nLo del banner ya está.\n#time 5m"
    assert read(text, (CLIENT,)).doubt == fresh.INTERLEAVED


def test_an_answer_inside_an_unmarked_quote_raises_doubt() -> None:
    lines = CLIENT.split("\n")
    inside = "\n".join([*lines[:3], "Esto ya está arreglado desde las nueve.", *lines[3:]])
    reading = read(f"Te contesto abajo.\n\n{OUTLOOK}\n\n{inside}", (CLIENT,))
    assert reading.doubt == fresh.INTERLEAVED
    assert reading.shown == reading.whole


def test_an_answer_typed_into_a_marked_quote_is_shown_with_the_whole() -> None:
    lines = CLIENT.split("\n")
    inside = quoted("\n".join([*lines[:3], "Esto ya no pasa desde las nueve.", *lines[3:]]))
    reading = read(f"Os contesto abajo en rojo, gracias.\n\n{GMAIL}\n{inside}", (CLIENT,))
    assert reading.fresh == "Os contesto abajo en rojo, gracias."
    assert reading.shown == reading.whole
    assert not reading.doubt


@pytest.mark.parametrize("wide", [30, 72, 1000])
def test_a_marked_quote_as_it_was_sent_is_not_shown_however_it_is_wrapped(wide: int) -> None:
    wrapped = "\n".join("\n".join(textwrap.wrap(line, wide)) for line in CLIENT.split("\n"))
    reading = read(f"Os contesto arriba, gracias.\n\n{GMAIL}\n{quoted(wrapped)}", (ANSWER, CLIENT))
    assert reading.shown == reading.fresh == "Os contesto arriba, gracias."


def test_a_command_below_an_unmarked_quote_raises_doubt() -> None:
    text = f"Te contesto abajo.\n\n{OUTLOOK}\n\n{CLIENT}\n\n#time 9m"
    assert read(text, (CLIENT,)).doubt == fresh.INTERLEAVED


def test_an_answer_typed_only_below_an_unmarked_quote_raises_doubt() -> None:
    assert read(f"{OUTLOOK}\n\n{CLIENT}\n\nYa está arreglado, gracias.", (CLIENT,)).doubt == fresh.INTERLEAVED
    assert read(f"{OUTLOOK}\n\n{CLIENT}\n\n#time 9m").doubt == fresh.INTERLEAVED


def test_what_a_server_adds_below_a_quote_raises_no_doubt() -> None:
    footer = "Este mensaje es confidencial y va dirigido solo a su destinatario."
    assert read(f"Hecho.\n#time 9m\n\n{OUTLOOK}\n\n{CLIENT}\n\n{footer}", (CLIENT,)).doubt == ""


def test_an_old_command_in_an_unmarked_quote_is_known_and_raises_no_doubt() -> None:
    text = f"Hecho.\n#time 9m\n\n{OUTLOOK}\n\n{CLIENT}\n\n{OUTLOOK}\n\n{ANSWER}"
    reading = read(text, (ANSWER, CLIENT))
    assert reading.fresh == "Hecho.\n#time 9m"
    assert reading.doubt == ""


# Quote marks


def test_unmarked_lines_between_marked_ones_are_fresh() -> None:
    text = f"{GMAIL}\n> ¿El teléfono?\n> #time 60m\n\nCambiado.\n#time 3m\n\n> ¿Y el horario?\n\nTambién.\n"
    reading = read(text)
    assert reading.fresh == "Cambiado.\n#time 3m\n\nTambién."
    assert reading.doubt == ""
    assert reading.shown == reading.whole


def test_the_broken_tail_of_a_quoted_line_is_quoted_where_history_knows_it() -> None:
    history = "Por favor, quitad del texto de la portada la línea que dice exactamente\n#time 99m porque la copié."
    text = (
        f"Quitada.\n\n{GMAIL}\n> Por favor, quitad del texto de la portada la línea que dice exactamente\n"
        "#time 99m porque la copié.\n"
    )
    assert read(text, (history,)).fresh == "Quitada."


def test_a_tail_that_nobody_knows_raises_doubt() -> None:
    long = "Por favor, quitad del texto de la portada la línea que dice lo de la oferta de"
    text = f"Quitada.\n\n{GMAIL}\n> {long}\nnavidad, gracias\n>\n> Ana"
    assert read(text).doubt == fresh.INTERLEAVED
    assert read(text).fresh == "Quitada."


def test_an_answer_right_below_a_quoted_line_is_fresh_where_history_does_not_hold_it() -> None:
    long = "¿Podéis mirar también por qué el banner de la portada sale con la fecha del año pasado?"
    reading = read(f"{GMAIL}\n> {long}\nsí, era la caché del servidor\n>\n> Gracias,\n> Ana", (CLIENT,))
    assert reading.fresh == "sí, era la caché del servidor"
    assert reading.doubt == ""


@pytest.mark.parametrize(
    "line", ["Quoting Ana <ana@acme.example>:", "Citando a Ana <a@b.es>:", "Ana, 2/11/2026 10:12:"]
)
def test_what_introduces_marked_lines_is_not_fresh(line: str) -> None:
    assert read(f"#time 5m\nHecho.\n\n{line}\n\n> ¿Ya?").fresh == "#time 5m\nHecho."


# Signatures, telephones


@pytest.mark.parametrize("mark", ["-- ", "--", "---", "__", "_" * 47])
def test_nothing_after_a_signature_mark_is_fresh(mark: str) -> None:
    assert read(f"Hecho.\n\n{mark}\nMarta Gil\nSoporte Técnico\n#time 5m").fresh == "Hecho."


def test_a_command_below_a_doubtful_signature_mark_raises_doubt() -> None:
    assert read("La tabla:\n____\nuno\n____\n#time 5m").doubt == fresh.INTERLEAVED
    assert read("Hecho.\n\n-- \nMarta\n#time 5m").doubt == ""


def test_text_below_a_signature_and_a_quote_raises_doubt() -> None:
    text = f"Hecho.\n\n-- \nMarta\n\n{GMAIL}\n> ¿Ya?\n\nSí.\n#time 5m"
    reading = read(text)
    assert reading.fresh == "Hecho."
    assert reading.doubt == fresh.INTERLEAVED


def test_a_signature_on_each_side_of_the_quote_raises_no_doubt() -> None:
    assert read(f"Hecho.\n\n-- \nMarta\n\n{GMAIL}\n> ¿Ya?\n\n-- \nLista de correo").doubt == ""


@pytest.mark.parametrize(
    "line",
    [
        "Enviado desde mi iPhone",
        "Enviado desde Outlook para Android",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Obtener Outlook para iOS",
        "Sent from my Galaxy",
        "Enviado con Proton Mail",
        "*Enviado desde mi Xiaomi*",
    ],
)
def test_what_a_telephone_adds_is_not_fresh(line: str) -> None:
    reading = read(f"#time 5m\nHecho, Ana, ya está.\n\n{line}\n")
    assert reading.fresh == "#time 5m\nHecho, Ana, ya está."
    assert reading.doubt == ""


def test_text_below_what_a_telephone_adds_raises_doubt() -> None:
    assert read("Hecho.\n\nEnviado desde mi iPhone\n\n#time 5m").doubt == fresh.INTERLEAVED


# What readers are shown


def test_the_first_message_of_a_ticket_is_shown_whole() -> None:
    text = f"Os paso lo que hablamos, a ver qué os parece.\n\n{GMAIL}\n\n{quoted(CLIENT)}"
    assert read(text, first=True).shown == text
    assert read(text).shown == "Os paso lo que hablamos, a ver qué os parece."


def test_where_little_is_left_the_whole_is_shown() -> None:
    text = f"Ver abajo\n\n{OUTLOOK}\n\n{CLIENT}"
    assert read(text).shown == text


def test_text_below_the_quote_is_shown_with_it() -> None:
    text = f"{GMAIL}\n{quoted(CLIENT)}\n\nPor mí está bien así, muchas gracias."
    assert read(text).shown == text


def test_an_unmarked_quote_that_the_ticket_does_not_hold_is_shown() -> None:
    story = f"Mirad lo que me ha mandado el proveedor:\n\n{GMAIL}\n\nSu dominio caduca mañana por la tarde."
    assert read(story, (ANSWER,)).shown == story


def test_a_long_text_below_a_signature_mark_is_shown() -> None:
    text = "Hola, buenos días a todos.\n--\n" + "\n".join(f"Esto es el punto {at} de la lista." for at in range(12))
    assert read(text).shown == text


# Forwards


@pytest.mark.parametrize("subject", ["RV: Aviso", "Fwd: Aviso", "[SOP-3] Fw: Aviso", "TR: Aviso", "Reenv: Aviso"])
def test_a_subject_tells_a_forward(subject: str) -> None:
    reading = read(f"¿Es grave esto que nos dicen?\n\n{OUTLOOK}\n\nSu dominio caduca.", subject=subject)
    assert reading.forward
    assert reading.fresh == "¿Es grave esto que nos dicen?"
    assert reading.shown == reading.whole


@pytest.mark.parametrize("subject", ["Re: Fwd: Aviso", "Re: [SOP-3 Acme] RV: Aviso", "Aviso", "Transporte: aviso"])
def test_an_answer_to_a_forward_is_none(subject: str) -> None:
    assert not read("Hola, ya está arreglado.", subject=subject).forward


def test_a_forwarded_block_tells_a_forward_but_not_inside_a_quote() -> None:
    header = "De: x@y.example\nDate: 2 nov 2026\nSubject: z\nTo: w@y.example"
    block = f"---------- Forwarded message ---------\n{header}\n\nTexto."
    assert read(f"Os lo paso.\n\n{block}").forward
    assert read(f"Os lo paso.\n\n{quoted('Begin forwarded message:')}\n{quoted(block)}").forward
    assert not read(f"Ya está.\n\n{GMAIL}\n{quoted('Os lo paso.')}\n>\n{quoted(block)}").forward


# Two parts


def test_the_same_commands_in_both_parts_agree() -> None:
    html = "<p>Hecho.</p><p><b>#time&nbsp;12m</b> <i>prueba</i></p><blockquote type=cite>#time 45m</blockquote>"
    assert read(f"Hecho.\n\n#time 12m prueba\n\n{GMAIL}\n> #time 45m", html=html).doubt == ""


def test_a_command_that_only_wraps_in_the_text_part_agrees() -> None:
    note = "revisión de la pasarela de pago y pruebas con la tarjeta de ejemplo"
    assert read(f"#time 25m {note} de\nl banco", html=f"<div>#time 25m {note} del banco</div>").doubt == ""


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hecho.</p><p>#time 99m</p>",
        "<p>Hecho.</p>",
        "<p>Hecho.</p><p>#time 12m</p><p>&num;cerrar</p>",
        "<p>Hecho.</p><blockquote type=cite>#time 12m</blockquote>",
        "<p>Hecho.</p><p><b>#</b>time 13m</p>",
    ],
)
def test_other_commands_in_the_html_part_raise_doubt(html: str) -> None:
    assert read("Hecho.\n#time 12m", html=html).doubt == fresh.PARTS_DISAGREE


def test_a_command_that_only_the_html_part_holds_raises_doubt() -> None:
    assert read("Hecho.", html="<p>Hecho.</p><p>#time 12m</p>").doubt == fresh.PARTS_DISAGREE


def test_an_html_part_without_text_raises_no_doubt() -> None:
    assert read("#time 12m", html="<img src='cid:1'>").doubt == ""


def test_a_command_that_nobody_sees_in_the_html_part_raises_no_doubt() -> None:
    assert read("Hecho.", html="<p>Hecho.</p><p style='display:none'>#time 12m</p>").doubt == ""


def test_an_html_part_that_quotes_without_marks_what_the_text_part_marks_raises_no_doubt() -> None:
    html = "<p>Hecho.<br>#time 12m</p><p>Ana escribi&oacute; ayer</p><p>No va.<br>#time 45m</p>"
    assert read(f"Hecho.\n#time 12m\n\n{GMAIL}\n> No va.\n> #time 45m", html=html).doubt == ""


@pytest.mark.parametrize(
    "stub", ["This message is in HTML format.", "Su programa no puede mostrar mensajes en HTML.", "\n \n"]
)
def test_instead_of_a_text_part_that_says_nothing_the_html_part_is_read(stub: str) -> None:
    assert read(stub, html="<p>No me carga el calendario.</p>").whole == "No me carga el calendario."


def test_a_text_part_that_speaks_of_html_is_read() -> None:
    assert read("¿Podéis mirar el HTML?", html="<p>¿Podéis mirar el <b>HTML</b>?</p>").whole == "¿Podéis mirar el HTML?"


# Whatever comes

PIECES = st.sampled_from(
    [
        "",
        " ",
        ">",
        "> ",
        ">> #time 5m",
        "#time 5m",
        "-- ",
        "---",
        "__",
        "Hola",
        "Enviado desde mi iPhone",
        GMAIL,
        OUTLOOK,
        "escribió:",
        "<ana@acme.example>",
        "De: a@b",
        "```",
        "-----Mensaje original-----",
        CLIENT,
        ANSWER,
        "\ufeff",
        "On 2",
        "Begin forwarded message:",
        ":",
        "wrote",
        "_" * 32,
        "[x]",
        "\x00",
        "\x85",
        "\u2028",
        "ñ" * 70,
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(st.one_of(PIECES, st.text(max_size=40)), max_size=25).map("\n".join))


@given(TEXTS, st.lists(TEXTS, max_size=3), st.booleans(), st.sampled_from(["", "<p>#time 5m</p>"]))
def test_nothing_is_lost_and_nothing_is_made_up(text: str, history: list[str], first: bool, html: str) -> None:
    reading = fresh.read(Mail("id", "digest", None, text=text, html=html), history, first)
    source = text if text.strip() else ""
    whole = reading.whole.split("\n")
    assert all(line in whole for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip())
    assert all(any(line in original for original in whole) for line in reading.fresh.split("\n"))
    assert reading.shown in (reading.fresh, reading.whole)
    assert not first or reading.shown == reading.whole
    marked = [line for line in reading.fresh.split("\n") if line.lstrip().startswith(">") and line.strip() != ">:"]
    assert not marked or "```" in text


@given(TEXTS)
def test_what_is_marked_is_never_fresh_whatever_it_says(text: str) -> None:
    marked = "\n".join(f"> {line}" for line in text.replace("\r", "\n").split("\n"))
    assert read(f"Hecho.\n#time 5m\n\n{GMAIL}\n\n{marked}").fresh == "Hecho.\n#time 5m"


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "On ",
        "On \n",
        "El 2 nov 2026:\n",
        "On 2 wrote:\n",
        "De: x\n",
        "De: x\n\n",
        "De: x@y\nFecha: 1\n\n",
        ">",
        "> ",
        ">x\ny\n",
        "---\n",
        "--\n",
        "__\nx\n",
        "Enviado desde mi iPhone\n",
        ":\n",
        "x " * 240 + ":\n",
        "```\n--\n",
        "#a\n",
        "[",
        "\n",
        "a@b 2026 10:12 :\n",
        "-----\n",
        "-",
        "- ",
    ],
)
def test_hostile_text_is_read_in_linear_time(line: str) -> None:
    text = line * min(25_000 // line.count("\n") if "\n" in line else 1_000_000, 1_000_000 // len(line))
    with in_linear_time():
        read(text, (text,))
